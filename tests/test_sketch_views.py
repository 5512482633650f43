"""A sketch in other hands' lines."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from modelsearch_core import sketch_views


def drawn(width: int) -> Image.Image:
    sketch = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(sketch).line([(20, 30), (220, 180)], fill="black", width=width)
    return sketch


@pytest.mark.parametrize("shape", [(9, 9), (31, 17), (5, 40)])
@pytest.mark.parametrize("reach", [1, 2, 3, 7])
def test_lines_grow_as_by_a_minimum_filter(shape: tuple[int, int], reach: int):
    grey = np.random.default_rng(reach).integers(0, 256, shape, dtype=np.uint8)
    expected = np.asarray(Image.fromarray(grey).filter(ImageFilter.MinFilter(2 * reach + 1)))
    found = sketch_views.darkest(grey, reach)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint8


def test_thin_lines_are_widened_and_wide_ones_are_left():
    thin, wide = (sketch_views.line_width(drawn(width).convert("L")) for width in (3, 20))
    grown, left = (sketch_views.line_width(sketch_views.widened(drawn(width), 12.0).convert("L")) for width in (3, 20))
    assert thin < 6 and 9 < grown < 15
    assert left == pytest.approx(wide, rel=0.1)


def test_there_are_as_many_views_as_it_says():
    found = sketch_views.views(drawn(3))
    assert len(found) == sketch_views.COUNT
    assert found[0].getpixel((0, 0)) == (255, 255, 255) and {view.mode for view in found} == {"RGB"}
