"""Find Detector and Find Classifier/Tagger on real files, in folders as other packs register them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.comfyui import pack
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, type[Any]]:
    bbox = tmp_path / "models" / "ultralytics" / "bbox"
    making.detector(bbox / "v3_best.onnx", NAMES)
    making.detector(bbox / "sub" / "other.onnx", NAMES[:2])
    found = pack.load(monkeypatch, tmp_path, {"ultralytics_bbox": [bbox]}).NODE_CLASS_MAPPINGS
    server = ModuleType("server")
    server.__dict__["PromptServer"] = SimpleNamespace(instance=None)
    monkeypatch.setitem(sys.modules, "server", server)
    host = importlib.import_module(f"{pack.NAME}.nodes.host").host()
    monkeypatch.setattr(host, "encoder", lambda *_, **__: ColourEncoder())
    return found


@pytest.fixture
def probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the world of colours in place of the bundled subjects, in which there are none."""
    chosen = importlib.import_module(f"{pack.NAME}.modelsearch_core.classifiers.probe_pictures")
    monkeypatch.setattr(chosen, "BUNDLED", making.probe_pictures(tmp_path / "probes"))


def test_the_name_is_the_one_that_detector_providers_list(nodes: dict[str, Any], probes: None):
    asked = {"probe_new": True, "minimum_relevance": 0.0, "rank": 1}
    name, label, number, threshold, score, evidence, lines = nodes["ModelSearchFindDetector"]().find(
        text="pink", **asked
    )
    assert (name, label, number) == ("bbox/v3_best.onnx", "pink", NAMES.index("pink"))
    assert 0 < threshold <= 1 and 0 <= score <= 1
    assert evidence.shape[0] == 4
    assert lines.splitlines()[0].startswith("1. v3_best: 4 pink")


def test_without_a_question_or_a_folder_it_says_so(nodes: dict[str, Any]):
    errors = importlib.import_module(f"{pack.NAME}.nodes.probing").ModelSearchError
    asked = {"probe_new": True, "minimum_relevance": 0.0, "rank": 1}
    with pytest.raises(errors, match="Say in text"):
        nodes["ModelSearchFindDetector"]().find(text=" ", **asked)
    with pytest.raises(errors, match="no folder of a classifier"):
        nodes["ModelSearchFindClassifier"]().find(text="red", **asked)
