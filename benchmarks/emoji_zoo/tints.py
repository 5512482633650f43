"""Tints: a picture's lightness between two or three colours."""

from __future__ import annotations

import numpy as np

from .scenes import RGB, Picture

TINTS: dict[str, tuple[str, tuple[RGB, ...]]] = {  # words, and the colours from dark to light
    "sepia": ("old brown photo", ((40, 24, 14), (170, 126, 84), (250, 232, 200))),
    "blueprint": ("white on blue, like a blueprint", ((10, 36, 110), (40, 96, 190), (232, 244, 255))),
    "neon": ("glowing pink and violet", ((20, 4, 44), (150, 20, 160), (255, 140, 220))),
    "mint": ("pale green and dark green", ((8, 56, 50), (90, 170, 140), (232, 252, 236))),
    "grey": ("black and white", ((12, 12, 12), (128, 128, 128), (248, 248, 248))),
}
LIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def tinted(picture: Picture, tint: str) -> Picture:
    colours = np.array(TINTS[tint][1], dtype=np.float32)
    light = picture.astype(np.float32) @ LIGHTNESS / 255
    places = np.linspace(0, 1, len(colours))
    return (
        np.stack([np.interp(light, places, colours[:, channel]) for channel in range(3)], -1).round().astype(np.uint8)
    )
