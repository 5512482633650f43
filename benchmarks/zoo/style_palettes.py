"""Styles that change colours only."""

from __future__ import annotations

import numpy as np

from .style_tools import luminance
from .styles import Array, Choice, family

Rng = np.random.Generator

_DARK = {
    "purple": (60, 10, 90),
    "blue": (10, 25, 110),
    "green": (5, 60, 30),
    "brown": (70, 35, 15),
    "red": (110, 5, 15),
    "black": (12, 10, 14),
}
_LIGHT = {
    "yellow": (255, 225, 70),
    "pink": (255, 160, 205),
    "orange": (255, 165, 60),
    "teal": (110, 235, 220),
    "white": (250, 248, 240),
    "green": (150, 240, 110),
}
_TINT = {
    "red": (1, 0.35, 0.35),
    "green": (0.4, 1, 0.45),
    "blue": (0.4, 0.55, 1),
    "pink": (1, 0.55, 0.8),
    "yellow": (1, 0.92, 0.35),
    "purple": (0.72, 0.4, 1),
}


@family(
    palette=True,
    words=lambda dark, light: (
        f"in two colours, {dark} and {light}",
        f"{dark} and {light} duotone",
        f"only {light} and {dark}",
    ),
    dark=Choice(tuple(_DARK)),
    light=Choice(tuple(_LIGHT)),
)
def duotone(image: Array, rng: Rng, dark: str, light: str) -> Array:
    t = np.clip((luminance(image) - 0.15) / 0.7, 0, 1)[..., None]
    return (1 - t) * np.array(_DARK[dark]) / 255 + t * np.array(_LIGHT[light]) / 255


@family(
    palette=True,
    words=lambda colour: (f"tinted {colour} all over", f"in {colour} light", f"a {colour} tint"),
    colour=Choice(tuple(_TINT)),
)
def tint(image: Array, rng: Rng, colour: str) -> Array:
    grey = luminance(image)[..., None]
    return (0.15 + 0.85 * (0.6 * grey + 0.4 * image)) * np.array(_TINT[colour])


@family(palette=True, words=lambda: ("a negative with inverted colours", "inverted colours", "a colour negative"))
def negative(image: Array, rng: Rng) -> Array:
    return 1 - image


@family(palette=True, words=lambda: ("an old brown sepia photo", "sepia", "a faded brown photo"))
def sepia(image: Array, rng: Rng) -> Array:
    tone = 0.12 + 0.8 * luminance(image)[..., None]
    return tone * np.array([1.0, 0.84, 0.62]) + 0.04


@family(palette=True, words=lambda: ("in pale pastel colours", "pastel", "soft pale colours"))
def pastel(image: Array, rng: Rng) -> Array:
    return 0.55 + 0.42 * image
