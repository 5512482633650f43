"""Trained edge detectors, with random weights in the files in which they are published."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from modelsearch_core.encoders import drawers, open_drawer
from modelsearch_core.encoders.drawers import HED, PIDINET
from modelsearch_core.errors import MissingWeightsError, ModelSearchError

pytest.importorskip("controlnet_aux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from controlnet_aux.hed import ControlNetHED_Apache2
    from controlnet_aux.pidi import pidinet

    folder = tmp_path_factory.mktemp("annotators")
    torch.manual_seed(0)
    torch.save(ControlNetHED_Apache2().state_dict(), folder / "ControlNetHED.pth")
    trained = {f"module.{key}": value for key, value in pidinet().state_dict().items()}
    torch.save({"epoch": 1, "state_dict": trained}, folder / "table5_pidinet.pth")
    return folder


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8).astype(np.uint8))


@pytest.mark.parametrize("name", ["hed", "pidinet"])
def test_a_detector_draws_in_the_pictures_size(name: str, folder: Path):
    drawer = open_drawer(name, folders=[folder], device="cpu")
    drawing = drawer(picture())
    assert (drawer.name, drawing.mode, drawing.size) == (name, "RGB", (64, 48))
    assert np.array_equal(np.asarray(drawer(picture())), np.asarray(drawing))


def test_lines_are_dark_where_the_detector_is_sure(monkeypatch: pytest.MonkeyPatch, folder: Path):
    """A detector that answers with its input: what is bright there is ink."""
    monkeypatch.setitem(drawers.DETECTORS, "hed", (HED, lambda *_: lambda image, **_: image))
    image = Image.new("RGB", (32, 32), "black")
    image.paste((255, 255, 255), (8, 8, 24, 24))
    drawing = open_drawer("hed", folders=[folder], device="cpu")(image)
    assert (drawing.getpixel((16, 16)), drawing.getpixel((2, 2))) == ((0, 0, 0), (255, 255, 255))


def test_hed_is_best_where_its_weights_are(folder: Path, tmp_path: Path):
    assert open_drawer(folders=[folder], device="cpu").name == "hed"
    assert open_drawer(folders=[tmp_path], device="cpu").name == "outlines"


def test_damaged_weights_leave_outlines_and_are_named_when_asked_for(tmp_path: Path):
    (tmp_path / "ControlNetHED.pth").write_bytes(b"broken")
    assert open_drawer(folders=[tmp_path], device="cpu").name == "outlines"
    with pytest.raises(ModelSearchError, match=r"ControlNetHED\.pth cannot be read as weights"):
        open_drawer("hed", folders=[tmp_path], device="cpu")


def test_other_weights_under_this_name_are_named(folder: Path, tmp_path: Path):
    (tmp_path / "ControlNetHED.pth").write_bytes((folder / "table5_pidinet.pth").read_bytes())
    with pytest.raises(ModelSearchError, match="does not hold the weights of ControlNetHED_Apache2"):
        open_drawer("hed", folders=[tmp_path], device="cpu")


def test_missing_weights_are_named_with_size_and_source():
    with pytest.raises(MissingWeightsError, match=r"ControlNetHED \(about 29 MB\).*lllyasviel/Annotators"):
        open_drawer("hed", may_download=False)


def test_drawers_without_weights_are_there_by_name():
    assert [open_drawer(name).name for name in ("outlines", "pencil", "canny")] == ["outlines", "pencil", "canny"]
    with pytest.raises(ValueError, match="'ink' draws nothing; choose one of auto, hed, pidinet, outlines"):
        open_drawer("ink")


@pytest.mark.parametrize("weights", [HED, PIDINET], ids=lambda weights: weights.own_name)
def test_hosts_folders_are_looked_in(weights: drawers.Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    comfy = tmp_path / "custom_nodes/comfyui_controlnet_aux/ckpts/lllyasviel/Annotators"
    comfy.mkdir(parents=True)
    (comfy / weights.files[0]).touch()
    assert drawers.find(weights) == comfy / weights.files[0]
    assert drawers.find(dataclasses.replace(weights, host_folders=())) is None
