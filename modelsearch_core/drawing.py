"""A picture as a line drawing, black on white. (HED and its relatives come with the style search.)"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

Drawer = Callable[[Image.Image], Image.Image]
WORKING_SIZE = 192  # pixels of the short side; small pictures are enlarged so that lines have a width


def outlines(image: Image.Image) -> Image.Image:
    """Morphological gradient of the strongest channel, with no weights to load. RGB, of the picture's size."""
    large = image.convert("RGB")
    scale = WORKING_SIZE / min(large.size)
    large = large.resize([max(1, round(edge * scale)) for edge in large.size], Image.Resampling.BICUBIC)
    channels = [_gradient(channel) for channel in large.filter(ImageFilter.GaussianBlur(2)).split()]
    strongest = np.max([np.asarray(channel, np.float32) for channel in channels], axis=0)
    ink = np.clip((strongest - 18) / 30, 0, 1)
    drawing = Image.fromarray((255 * (1 - ink)).astype(np.uint8))
    return drawing.resize(image.size, Image.Resampling.BOX).convert("RGB")


def best_drawer() -> Drawer:
    """What draws the samples at indexing."""
    return outlines


def to_sketch_tone(image: Image.Image) -> Image.Image:
    """A user's sketch as black on white: transparency is paper, a dark page is turned over."""
    rgba = (ImageOps.exif_transpose(image) or image).convert("RGBA")
    grey = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")
    if _border_mean(grey) < 128:
        grey = ImageOps.invert(grey)
    return grey.convert("RGB")


def _border_mean(grey: Image.Image) -> float:
    pixels = np.asarray(grey, np.float32)
    return float(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean())


def _gradient(channel: Image.Image) -> Image.Image:
    return ImageChops.difference(channel.filter(ImageFilter.MaxFilter(5)), channel.filter(ImageFilter.MinFilter(5)))
