"""A sketch as other hands would have drawn it, so that it meets the drawings of an index whoever drew either.

What draws pictures for an index leaves lines of one width, doubled where both sides of an edge are seen; people draw
thin lines, once. Which of the views is nearest is for the comparison to say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .drawing import outlines

SIDE = 256  # pixels of the short side in which widths are counted
WIDTHS = (12.0, 16.0)  # of lines, about as `outlines` draws them
INK = 160  # grey level below which a pixel is ink
WIDEST = 15  # pixels that a line may grow


def views(sketch: Image.Image) -> list[Image.Image]:
    """As it is, with wider lines, and drawn again; black on white, RGB."""
    return [sketch, *(widened(sketch, width) for width in WIDTHS), outlines(sketch)]


COUNT = 2 + len(WIDTHS)


def line_width(sketch: Image.Image) -> float:
    """Of a grey picture, in its pixels: twice its ink by the length of the ink's edge; 0 for an empty one."""
    ink = np.asarray(sketch, float) < INK
    edge = (ink[:, 1:] != ink[:, :-1]).sum() + (ink[1:] != ink[:-1]).sum()
    return float(2 * ink.sum() / max(edge, 1)) * np.sqrt(1.6)  # a slanted edge counts on both axes


def widened(sketch: Image.Image, width: float) -> Image.Image:
    """With lines of that width, if they are thinner; short side SIDE."""
    scale = SIDE / min(sketch.size)
    size = [max(1, round(edge * scale)) for edge in sketch.size]
    grey = sketch.convert("L").resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX)
    missing = width - (line_width(grey) or width)
    grow = min(WIDEST, round(missing) // 2 * 2 + 1)
    if grow >= 3:
        grey = Image.fromarray(darkest(np.asarray(grey), grow // 2))
    return grey.filter(ImageFilter.GaussianBlur(1)).convert("RGB")


def darkest(grey: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """The least value within `reach` pixels along each axis: a minimum filter, by steps that double what was seen
    before."""
    for axis in (0, 1):
        before = [(reach, reach) if each == axis else (0, 0) for each in (0, 1)]
        rows, seen, width = np.moveaxis(np.pad(grey, before, mode="edge"), axis, 0), 1, 2 * reach + 1
        while seen < width:
            step = min(seen, width - seen)
            rows, seen = np.minimum(rows[:-step], rows[step:]), seen + step
        grey = np.moveaxis(rows, 0, axis)
    return np.ascontiguousarray(grey)
