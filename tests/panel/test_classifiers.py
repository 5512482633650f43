"""What a browser asks about classifiers, without a server."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers
from modelsearch_core.panel.classifiers import ClassifierSearch
from modelsearch_core.panel.refusals import RefusedError
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder


def indexed(tmp_path: Path, models: Path) -> None:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        probes = None if catalog.setting("classifier_probes") else making.probe_pictures(tmp_path / "probes")
        index_classifiers(catalog, [models], ColourEncoder(), "colours", ProbeSettings(probes=probes))


@pytest.fixture
def panel(tmp_path: Path) -> ClassifierSearch:
    making.detector(tmp_path / "models" / "v3_best.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    return ClassifierSearch(tmp_path / "catalog.sqlite", lambda _: ColourEncoder())


def test_a_word_is_answered_with_an_output_and_its_pictures(panel: ClassifierSearch):
    best = panel.search({"text": "pink"}, {})["matches"][0]
    assert (best["name"], best["output"], best["label"]) == ("v3_best", NAMES.index("pink"), "pink")
    with Image.open(io.BytesIO(panel.probe(best["probes"][0]))) as picture:
        assert (picture.format, picture.size) == ("WEBP", (256, 256))
    each = panel.model(best["id"])["each"]
    assert [one["label"] for one in each] == NAMES


def test_a_picture_asks_too(panel: ClassifierSearch):
    buffer = io.BytesIO()
    making.square("blue").save(buffer, "PNG")
    assert panel.search({"k": 1}, {"image": [buffer.getvalue()]})["matches"][0]["output"] == NAMES.index("blue")


def test_what_was_indexed_meanwhile_is_found(panel: ClassifierSearch, tmp_path: Path):
    assert {m["name"] for m in panel.search({"text": "red"}, {})["matches"]} == {"v3_best"}
    making.classifier(tmp_path / "models" / "second.onnx", NAMES)
    indexed(tmp_path, tmp_path / "models")
    assert {m["name"] for m in panel.search({"text": "red"}, {})["matches"]} == {"v3_best", "second"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "needs a text or an image"),
        ({"text": "red", "kind": "lora"}, "kind must be classifier or detector, not 'lora'"),
        ({"text": "red", "k": 0}, "k must be a number from 1 to 100, not 0"),
        ({"text": {"a": 1}}, "text must be a text or a list of texts"),
    ],
)
def test_what_is_no_search_is_refused(panel: ClassifierSearch, body: dict[str, Any], said: str):
    with pytest.raises(RefusedError, match=said):
        panel.search(body, {})


def test_pictures_and_models_that_are_not_there_are_refused(panel: ClassifierSearch):
    with pytest.raises(RefusedError, match="no probe picture 100000"):
        panel.probe(100_000)
    with pytest.raises(RefusedError, match="no longer in the index"):
        panel.model("zzz")


def test_without_classifiers_it_says_how_to_get_some(tmp_path: Path):
    with Catalog(tmp_path / "catalog.sqlite"):
        pass
    with pytest.raises(RefusedError, match="--kind classifier"):
        ClassifierSearch(tmp_path / "catalog.sqlite", lambda _: ColourEncoder()).search({"text": "red"}, {})
