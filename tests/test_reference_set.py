"""The reference set: bundled subjects, one's own, and which outputs count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.drawing import Drawer
from modelsearch_core.encoders import open_drawer
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.reference_set import (
    BUNDLED,
    SIZE,
    cleansed,
    mean_squared_error,
    read_subjects,
    reference_set,
)

PLAIN = Drawer("none", lambda image: image)


def test_thirty_subjects_are_bundled_and_small():
    subjects = read_subjects()
    assert len(subjects) == 30
    assert {image.size for image in subjects.values()} == {(SIZE, SIZE)}
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 600_000


@pytest.mark.parametrize("name", ["fine_outlines", "canny"])
def test_their_drawings_are_black_on_white_and_all_different(name: str):
    pytest.importorskip("cv2" if name == "canny" else "numpy")
    drawn = reference_set(read_subjects(), open_drawer(name))
    ink = [1 - np.asarray(drawing.convert("L"), float).mean() / 255 for drawing in drawn.drawings]
    assert min(ink) > 0.01 and max(ink) < 0.75
    assert len(set(drawn.digests)) == 30
    assert [probe.drawing for probe in drawn.probes] == list(drawn.digests)
    assert (drawn.drawer, {probe.prompt for probe in drawn.probes}) == (name, {""})
    assert len({probe.seed for probe in drawn.probes}) == 30


def test_ones_own_folder_does_as_well(tmp_path: Path):
    Image.new("RGB", (40, 20), "red").save(tmp_path / "b.png")
    Image.new("RGBA", (20, 60), "blue").save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    drawn = reference_set(read_subjects(tmp_path), PLAIN)
    assert drawn.names == ("a", "b")
    assert [image.getpixel((5, 5)) for image in drawn.subjects] == [(0, 0, 255), (255, 0, 0)]


def test_a_folder_without_pictures_is_named(tmp_path: Path):
    with pytest.raises(ModelSearchError, match=f"{tmp_path.name} has no pictures"):
        read_subjects(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"broken")
    with pytest.raises(ModelSearchError, match=r"broken\.png cannot be read as a picture .*take it out"):
        read_subjects(tmp_path)
    with pytest.raises(ValueError, match="0 subjects"):
        reference_set({}, PLAIN)


def test_the_error_is_summed_over_channels_and_meant_over_pixels():
    a, b = Image.new("RGB", (4, 2), (10, 20, 30)), Image.new("RGB", (4, 2), (10, 20, 30))
    assert mean_squared_error(a, b) == 0
    b.putpixel((1, 1), (13, 16, 30))
    assert mean_squared_error(a, b) == pytest.approx((9 + 16) / 8 / 255**2)


def test_what_comes_back_unchanged_is_cleansed():
    subject = Image.new("RGB", (16, 16), (200, 100, 50))
    changed, nearly = subject.copy(), Image.new("RGB", (16, 16), (205, 96, 52))
    changed.paste((0, 0, 0), (0, 0, 16, 1))
    outputs, inputs = [subject, changed, subject, nearly], [subject, subject, changed, subject]
    assert cleansed(outputs, inputs) == [False, True, True, False]
