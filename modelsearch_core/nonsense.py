"""Inputs that ask for nothing: blank sheets, one colour, noise, empty texts. Any model is as good an answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .drawing import INVISIBLE, eight_bits, to_sketch_tone

EVEN = 2.0  # standard deviation of brightness, of 255, below which a picture is one colour
LEAST_INK = 0.0002  # share of a sheet that a short thin stroke covers
MOST_INK = 0.9  # share above which nobody has drawn lines
UNLIKE = 0.2  # correlation of pixels side by side below which they may be noise
LEVELLED = 0.4  # share of its contrast that noise keeps when 4 by 4 pixels become one: 1/4, and some luck
SIDE = 256  # pixels that are looked at


def of_text(text: str) -> str | None:
    """Why a text asks for nothing, with the way out; None if it asks for something."""
    return None if any(letter.isalnum() for letter in text) else f"the text {text.strip()!r} has no words; write some"


def of_picture(image: Image.Image) -> str | None:
    """Why a picture asks for nothing, or None."""
    pixels = _pixels(image)
    if max(float(channel.std()) for channel in pixels) < EVEN:
        return "the picture is of one colour and shows nothing; take another"
    if all(_is_noise(channel) for channel in pixels):
        return "the picture is nothing but noise; take another"
    return None


def of_sketch(image: Image.Image) -> str | None:
    """Why a sketch asks for nothing, or None."""
    paper = np.asarray(to_sketch_tone(image).convert("L"), float)
    if (paper < 255 - INVISIBLE).mean() < LEAST_INK:
        return "the sketch is blank; draw something, dark on light or light on dark"
    if (1 - paper / 255).mean() > MOST_INK:
        return "the sketch is all ink; draw lines on an empty sheet"
    return "the sketch is nothing but noise; draw lines on an empty sheet" if _is_noise(_grey(image)) else None


def _is_noise(values: NDArray[np.floating]) -> bool:
    """Whether pixels have nothing to do with their neighbours, and nothing is left from further away.

    Dithered pictures have the first, not the second.
    """
    if min(values.shape) < 8 or values.std() < EVEN:
        return False
    beside = [_correlation(values[:, :-1], values[:, 1:]), _correlation(values[:-1], values[1:])]
    return max(map(abs, beside)) < UNLIKE and _levelled(values).std() < LEVELLED * values.std()


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / max(float(a.std() * b.std()), 1e-9))


def _levelled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means of 4 by 4 pixels."""
    height, width = (edge // 4 * 4 for edge in values.shape)
    return values[:height, :width].reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))


def _pixels(image: Image.Image) -> NDArray[np.floating]:
    """(3, h, w): what is seen of it on white, from its middle where it is large."""
    rgba = eight_bits(image).convert("RGBA")
    seen = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return np.asarray(_middle(seen), float).transpose(2, 0, 1)


def _grey(image: Image.Image) -> NDArray[np.floating]:
    return _pixels(image).mean(axis=0)


def _middle(image: Image.Image) -> Image.Image:
    """At most SIDE pixels a side, cut out: a smaller copy would blend noise. All of it where that part is even."""
    left, top = (max(0, (edge - SIDE) // 2) for edge in image.size)
    cut = image.crop((left, top, min(image.width, left + SIDE), min(image.height, top + SIDE)))
    return cut if np.asarray(cut, float).std(axis=(0, 1)).max() >= EVEN else image
