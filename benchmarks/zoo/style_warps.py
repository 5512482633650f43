"""Styles that move pixels: swirl, waves, shifted rows, mirrors, blur."""

from __future__ import annotations

import numpy as np

from .style_tools import blurred, grid, sampled
from .styles import Array, Choice, Range, family

Rng = np.random.Generator


@family(words=lambda turn: ("twisted into a swirl", "a twisted whirl", "swirled picture"), turn=Range(1.5, 3.5))
def swirl(image: Array, rng: Rng, turn: float) -> Array:
    y, x = grid(image)
    angle = turn * np.exp(-np.hypot(y, x) / 20)
    return sampled(image, y * np.cos(angle) - x * np.sin(angle), y * np.sin(angle) + x * np.cos(angle))


@family(
    words=lambda amplitude, period: (
        f"{'strongly' if amplitude >= 3 else 'slightly'} wavy like water",
        "rippled by waves",
        "wavy lines",
    ),
    amplitude=Range(2, 4),
    period=Range(10, 20),
)
def waves(image: Array, rng: Rng, amplitude: float, period: float) -> Array:
    y, x = grid(image)
    return sampled(
        image, y + amplitude * np.sin(x * 2 * np.pi / period), x + amplitude * np.sin(y * 2 * np.pi / period)
    )


@family(
    words=lambda height: ("a glitch with shifted rows and colours", "a broken screen glitch", "shifted glitch rows"),
    height=Range(4, 9),
)
def glitch(image: Array, rng: Rng, height: float) -> Array:
    y, x = grid(image)
    rows = np.floor((y + 32) / height).astype(int)
    shift = rng.uniform(-7, 7, 40)[rows]
    return np.stack([sampled(image, y, x + shift + d)[..., c] for c, d in ((0, -2.5), (1, 0), (2, 2.5))], axis=-1)


@family(
    words=lambda way: (
        f"mirrored {'left and right' if way == 'across' else 'in four corners'}",
        "a mirror image",
        "a kaleidoscope",
    ),
    way=Choice(("across", "corners")),
)
def mirror(image: Array, rng: Rng, way: str) -> Array:
    y, x = grid(image)
    return sampled(image, y if way == "across" else np.abs(y) * 1.2 - 14, np.abs(x) * 1.2 - 14)


@family(
    words=lambda sigma: (
        f"{'very' if sigma >= 3 else 'slightly'} blurry and out of focus",
        "a soft blurry photo",
        "blurred",
    ),
    sigma=Range(1.6, 4.2),
)
def blur(image: Array, rng: Rng, sigma: float) -> Array:
    return blurred(image, sigma)
