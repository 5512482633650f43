"""Class names of pickled modules: read, never run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import (
    ClassifierIndex,
    ClassifierReport,
    ConceptQuery,
    Form,
    OutputMatch,
    ProbeSettings,
    index_classifiers,
)
from modelsearch_core.classifiers.configs import detector_input
from modelsearch_core.classifiers.finding import read_classifier
from modelsearch_core.classifiers.opening import open_classifier
from modelsearch_core.classifiers.pickled import read_pickled
from modelsearch_core.classifiers.ultralytics_files import PickledDetector, load_trusted
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


def load(path: Path) -> Any:
    """As a host's `ultralytics` does, which trusts the file."""
    return SimpleNamespace(model=torch.load(path, weights_only=False)["model"])


def index(tmp_path: Path, **lent: Any) -> ClassifierReport:
    probes = tmp_path / "probes"
    settings = ProbeSettings() if probes.exists() else ProbeSettings(probes=making.probe_pictures(probes))
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        return index_classifiers(catalog, [tmp_path / "models"], ColourEncoder(), "colours", settings, **lent)


def ask(tmp_path: Path, text: str) -> OutputMatch:
    with ClassifierIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as found:
        return found.search(ConceptQuery(text=[text]))[0]


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
    assert [path.name for path in index(tmp_path).named_only] == ["v3_best.pt"]
    best = ask(tmp_path, "pink")
    assert (best.label, best.evidence, best.probes, best.threshold) == ("pink", "labels", (), None)


def test_a_host_that_trusts_it_asks_it(tmp_path: Path):
    """Its labels are other ones than what it tells, so only what it answers can find it."""
    making.pickled_detector(tmp_path / "models" / "bbox" / "v3_best.pt", NAMES)
    assert read_pickled(tmp_path / "models" / "bbox" / "v3_best.pt", "").input == detector_input(16, 16)
    assert [path.name for path in index(tmp_path).named_only] == ["v3_best.pt"]  # first without
    report = index(tmp_path, trusted=load)
    assert ([path.name for path in report.probed], report.outputs, report.failed) == (["v3_best.pt"], len(NAMES), {})
    best = ask(tmp_path, "pink")
    assert (best.evidence, best.output, best.unit) == ("responses", NAMES.index("pink"), "probability")
    again = index(tmp_path)
    assert (again.unchanged, again.named_only) == (1, [])


def test_what_its_loader_refuses_is_still_known_by_its_names(tmp_path: Path):
    def refuse(path: Path) -> Any:
        raise RuntimeError(f"Weights only load failed. {path.name} names builtins.eval")

    making.pickled_detector(tmp_path / "models" / "bbox" / "v3_best.pt", NAMES)
    ((path, reason),) = index(tmp_path, trusted=refuse).failed.items()
    assert path.name == "v3_best.pt"
    assert reason.startswith("ultralytics cannot load it (RuntimeError: Weights only load failed")
    assert ask(tmp_path, "pink").evidence == "labels"


@pytest.mark.slow
@pytest.mark.parametrize(("size", "answers"), [("yolov8n", 80), ("yolov8n-seg", 80), ("yolov8n-cls", 1000)])
def test_ultralytics_itself_answers_as_its_onnx_export(tmp_path: Path, size: str, answers: int):
    """Random weights; the same pictures through the `.pt` and through the file that it exports."""
    ultralytics = pytest.importorskip("ultralytics")
    model = ultralytics.YOLO(f"{size}.yaml")
    model.model.names = {n: f"thing {n}" for n in range(answers)}  # untrained ones are called by numbers
    model.save(str(path := tmp_path / f"{size}.pt"))
    exported = Path(ultralytics.YOLO(str(path)).export(format="onnx", imgsz=64, simplify=False))
    told = read_pickled(path, "")
    wanted = detector_input(64, 64)
    pictures = [making.square(colour, side=80) for colour in NAMES[:3]]
    one = PickledDetector(told, load_trusted, "cpu").respond(pictures, wanted)
    other = open_classifier(read_classifier(exported), "cpu").respond(pictures, wanted)
    assert one.shape == (3, answers)
    np.testing.assert_allclose(one, other, atol=1e-3)
