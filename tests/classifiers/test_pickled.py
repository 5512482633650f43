"""Class names of pickled modules: read, never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ClassifierIndex, ConceptQuery, Form, ProbeSettings, index_classifiers
from modelsearch_core.classifiers.pickled import read_pickled
from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind
from tests.making import classifiers as making
from tests.making.fakes import NAMES, ColourEncoder


class Detector(torch.nn.Module):
    """As Ultralytics keeps one: a module with `names` and `task`."""

    def __init__(self, names: Any, task: str = "detect") -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.task = task
        self.names = names


class Trap:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def saved(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, path)
    return path


@pytest.mark.parametrize("names", [{0: "hat", 1: "face", 2: "hat box"}, ["hat", "face", "hat box"]])
def test_the_class_names_are_read(tmp_path: Path, names: Any):
    file = read_pickled(saved(tmp_path / "v3_best.pt", {"epoch": 3, "model": Detector(names), "ema": None}), "")
    assert (file.labels, file.kind, file.form) == (("hat", "face", "hat box"), Kind.DETECTOR, Form.PYTORCH)
    assert (file.task, file.readable) == ("detect", False)


def test_a_text_that_stood_elsewhere_before_is_a_name_too(tmp_path: Path):
    word = "".join(["ha", "t"])
    model = Detector({0: "face", 1: word})
    file = read_pickled(saved(tmp_path / "a.pt", {"note": word, "model": model}), "")
    assert file.labels == ("face", "hat")


def test_nothing_in_the_file_runs(tmp_path: Path):
    left = tmp_path / "left"
    path = saved(tmp_path / "a.pt", {"trap": Trap(left), "model": Detector({0: "hat"})})
    assert read_pickled(path, "").labels == ("hat",)
    assert not left.exists()
    torch.load(path, weights_only=False)  # the trap is one
    assert left.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x80\x02}q\x00."])
def test_what_is_no_saved_module_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(UnreadableModelError, match="not a module that PyTorch saved"):
        read_pickled(path, "")


def test_a_module_without_names_is_refused(tmp_path: Path):
    with pytest.raises(UnreadableModelError, match="without class names"):
        read_pickled(saved(tmp_path / "a.pt", {"model": torch.nn.Linear(2, 2)}), "")


def test_it_is_found_by_its_names_alone(tmp_path: Path):
    saved(tmp_path / "models" / "ultralytics" / "bbox" / "v3_best.pt", {"model": Detector({0: "pink", 1: "hat"})})
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        probes = ProbeSettings(probes=making.probe_pictures(tmp_path / "probes"))
        report = index_classifiers(catalog, [tmp_path / "models"], ColourEncoder(), "colours", probes)
    assert [path.name for path in report.named_only] == ["v3_best.pt"]
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as index:
        best = index.search(ConceptQuery(text=["pink"]))[0]
    assert (best.label, best.evidence, best.probes, best.threshold) == ("pink", "labels", (), None)
    assert NAMES.index("pink") == 4
