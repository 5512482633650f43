"""Styles made of marks: dots, tiles, lines, outlines, grain."""

from __future__ import annotations

import colorsys

import numpy as np

from .style_tools import blurred, cells, edges, grid, luminance, sampled, smooth_step, turned
from .styles import Array, Choice, Range, family

Rng = np.random.Generator


def _large(value: float, middle: float) -> str:
    return "large" if value >= middle else "small"


def _direction(angle: float) -> str:
    near = round(angle / 45) % 4
    return ("horizontal", "diagonal", "vertical", "diagonal")[near]


@family(
    words=lambda cell, paper: (
        f"made of {_large(cell, 6.5)} round dots on {paper} paper",
        f"a halftone print with {_large(cell, 6.5)} dots",
        f"{_large(cell, 6.5)} dots",
    ),
    cell=Range(4.5, 9.5),
    paper=Choice(("white", "black")),
)
def halftone(image: Array, rng: Rng, cell: float, paper: str) -> Array:
    y, x = turned(*grid(image), 30)
    cy, cx = (np.floor(y / cell) + 0.5) * cell, (np.floor(x / cell) + 0.5) * cell
    colour = sampled(blurred(image, cell / 4), *turned(cy, cx, -30))
    ground = 0.97 if paper == "white" else 0.05
    radius = cell * (0.22 + 0.32 * np.abs(luminance(colour) - ground))
    ink = smooth_step(radius - np.hypot(y - cy, x - cx), 0.6)[..., None]
    return ground + (colour - ground) * ink


@family(
    words=lambda cell: (
        f"a mosaic of {_large(cell, 7)} square tiles",
        f"{_large(cell, 7)} mosaic tiles",
        "a tile mosaic",
    ),
    cell=Range(4.5, 10),
)
def mosaic(image: Array, rng: Rng, cell: float) -> Array:
    y, x = grid(image)
    cy, cx = (np.floor(y / cell) + 0.5) * cell, (np.floor(x / cell) + 0.5) * cell
    tile = sampled(blurred(image, cell / 4), cy, cx)
    shine = rng.uniform(-0.12, 0.12, (40, 40))[(cy / cell).astype(int) + 20, (cx / cell).astype(int) + 20]
    inside = smooth_step(cell / 2 - 0.8 - np.maximum(np.abs(y - cy), np.abs(x - cx)), 0.5)[..., None]
    return 0.82 + (tile + shine[..., None] - 0.82) * inside


@family(
    words=lambda spacing, angle: (
        f"drawn with {_direction(angle)} hatching lines",
        f"{_direction(angle)} ink hatching",
        "a hatched ink drawing",
    ),
    spacing=Range(4, 7),
    angle=Range(0, 180),
)
def hatch(image: Array, rng: Rng, spacing: float, angle: float) -> Array:
    y, _ = turned(*grid(image), angle)
    dark = 1 - luminance(blurred(image, 0.6))
    width = spacing * (0.12 + 0.55 * dark)
    line = smooth_step(width / 2 - np.abs((y % spacing) - spacing / 2), 0.7)
    ink = np.maximum(line, edges(image, 0.9))[..., None]
    return np.array([0.97, 0.95, 0.9]) * (1 - ink) + np.array([0.12, 0.1, 0.16]) * ink


@family(
    words=lambda period, angle: (
        f"covered with {'wide' if period >= 8 else 'narrow'} {_direction(angle)} stripes",
        f"{_direction(angle)} stripes",
        f"{'wide' if period >= 8 else 'narrow'} white stripes",
    ),
    period=Range(5, 12),
    angle=Range(0, 180),
)
def stripes(image: Array, rng: Rng, period: float, angle: float) -> Array:
    y, _ = turned(*grid(image), angle)
    band = smooth_step(period / 4 - np.abs((y % period) - period / 2), 0.6)[..., None]
    return image * (1 - 0.75 * band) + 0.72 * band


_HUES = {
    "red": 0.0,
    "orange": 0.09,
    "yellow": 0.15,
    "green": 0.36,
    "teal": 0.5,
    "blue": 0.6,
    "purple": 0.76,
    "pink": 0.9,
}


@family(
    words=lambda hue: (f"glowing {hue} neon outlines in the dark", f"a {hue} neon sign", "neon light"),
    hue=Choice(tuple(_HUES)),
)
def neon(image: Array, rng: Rng, hue: str) -> Array:
    light = np.array(colorsys.hsv_to_rgb(_HUES[hue], 0.85, 1.0))
    line = edges(image, 1.2)[..., None]
    glow = blurred(line, 2.2) * 0.9
    return image * 0.1 + light * np.clip(line + glow, 0, 1) + 0.6 * np.clip(line - 0.6, 0, 1)


@family(
    words=lambda cell: (
        f"stained glass with {_large(cell, 11)} pieces and black lead",
        "a stained glass window",
        "coloured glass",
    ),
    cell=Range(8, 14),
)
def glass(image: Array, rng: Rng, cell: float) -> Array:
    piece, border = cells(blurred(image, 1.5), cell, rng)
    inside = smooth_step(border - 1.6, 0.8)[..., None]
    vivid = np.clip((piece - 0.5) * 1.25 + 0.5, 0, 1)
    return vivid * inside + 0.06 * (1 - inside)


@family(
    words=lambda cell: (f"made of {_large(cell, 9)} flat facets", "low poly", "flat crystal facets"),
    cell=Range(6, 12),
)
def facets(image: Array, rng: Rng, cell: float) -> Array:
    shades = rng.uniform(-0.14, 0.14, image.shape[:2])[..., None].repeat(3, axis=-1)
    state = rng.bit_generator.state
    piece, _ = cells(image, cell, rng)
    rng.bit_generator.state = state
    shade, _ = cells(shades, cell, rng)
    return piece + shade


@family(
    words=lambda angle: ("a grey relief carved in stone", "embossed grey stone", "a stone carving"), angle=Range(0, 360)
)
def emboss(image: Array, rng: Rng, angle: float) -> Array:
    gy, gx = np.gradient(luminance(blurred(image, 0.9)))
    t = np.deg2rad(angle)
    relief = (gy * np.sin(t) + gx * np.cos(t)) * 5.5
    tone = 0.55 + np.clip(relief, -0.45, 0.42) + 0.1 * (luminance(image) - 0.5)
    return np.repeat(tone[..., None], 3, axis=-1)


@family(
    words=lambda strength: ("a pencil sketch on paper", "drawn with a grey pencil", "a pencil drawing"),
    strength=Range(0.5, 1.0),
)
def pencil(image: Array, rng: Rng, strength: float) -> Array:
    y, _ = turned(*grid(image), 45)
    shade = (1 - luminance(image)) * (0.5 + 0.5 * np.sin(y * 2 * np.pi / 4.2)) * 0.45
    dark = np.clip(edges(image, 1.0) * strength + shade, 0, 0.85)[..., None]
    return np.array([0.96, 0.95, 0.92]) - dark * np.array([0.86, 0.85, 0.8])


@family(
    words=lambda cell: (
        f"pixel art with {_large(cell, 5.5)} square pixels",
        f"{_large(cell, 5.5)} pixels",
        "blocky pixel art",
    ),
    cell=Range(4, 8),
)
def pixels(image: Array, rng: Rng, cell: float) -> Array:
    y, x = grid(image)
    centre = [(np.floor(v / cell) + 0.5) * cell for v in (y, x)]
    return np.round(sampled(blurred(image, cell / 5), *centre) * 5) / 5


@family(
    words=lambda size, strength: (f"with coarse {_large(size, 4)} grain", "noisy film grain", "a grainy photo"),
    size=Range(2.5, 5.5),
    strength=Range(0.2, 0.4),
)
def grain(image: Array, rng: Rng, size: float, strength: float) -> Array:
    n = image.shape[0]
    noise = blurred(rng.normal(size=(n, n, 1)).astype(np.float32), size / 3.5)
    return image + noise / noise.std() * strength * 0.7


@family(
    words=lambda width: (
        f"with {'thick' if width >= 2.6 else 'thin'} black outlines",
        "a cartoon with black outlines",
        "a comic drawing",
    ),
    width=Range(1.4, 3.8),
)
def outlines(image: Array, rng: Rng, width: float) -> Array:
    flat = np.round(np.clip(image * 1.1, 0, 1) * 3) / 3
    ink = np.clip(edges(image, width) * 1.6, 0, 1)[..., None]
    return flat * (1 - ink) + 0.03 * ink


@family(
    words=lambda bleed: ("a watercolour painting with soft bleeding edges", "watercolour", "painted with watery paint"),
    bleed=Range(2, 5),
)
def watercolour(image: Array, rng: Rng, bleed: float) -> Array:
    n = image.shape[0]
    field = blurred(rng.normal(size=(n, n, 3)).astype(np.float32), 3.0)
    field /= field.std()
    y, x = grid(image)
    washed = blurred(sampled(image, y + field[..., 0] * bleed * 0.7, x + field[..., 1] * bleed * 0.7), 0.7)
    rim = edges(washed, 1.5)[..., None] * 0.16
    return 0.42 + washed * 0.56 + field[..., 2:] * 0.045 - rim


@family(
    words=lambda period: (
        f"made of {'wide' if period >= 7.5 else 'narrow'} concentric rings",
        "rings around the middle",
        "concentric circles",
    ),
    period=Range(5, 10),
)
def rings(image: Array, rng: Rng, period: float) -> Array:
    y, x = grid(image)
    wave = np.cos(np.hypot(y, x) * 2 * np.pi / period)
    band = smooth_step(wave, 1.0)[..., None]
    return image * (1 - 0.7 * band) + 0.08 * band


@family(
    words=lambda cell: (f"woven like a {_large(cell, 8)} checked cloth", "checked cloth", "a checkerboard pattern"),
    cell=Range(5, 11),
)
def checks(image: Array, rng: Rng, cell: float) -> Array:
    y, x = grid(image)
    odd = ((np.floor(y / cell) + np.floor(x / cell)) % 2)[..., None]
    return image * (1 - 0.5 * odd) + (1 - image) * 0.5 * odd * 0.6 + 0.1 * odd
