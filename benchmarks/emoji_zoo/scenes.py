"""A scene: a subject as one artist draws it, somewhere on a background. 128x128 RGB pictures and captions in plain words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from . import packages
from .subjects import SUBJECTS, emoji, with_article

SIDE = 128
Picture = NDArray[np.uint8]  # (128, 128, 3)
RGB = tuple[int, int, int]

PLAIN: dict[str, RGB] = {
    "white": (250, 250, 248),
    "black": (22, 22, 26),
    "grey": (150, 152, 158),
    "red": (214, 70, 66),
    "orange": (246, 168, 84),
    "yellow": (250, 224, 120),
    "green": (120, 190, 120),
    "blue": (110, 160, 235),
    "purple": (165, 130, 215),
    "pink": (247, 178, 205),
}
PLACES = {
    "grass": "on green grass",
    "night": "at night under the stars",
    "sea": "by the sea",
    "snow": "in the snow",
    "desert": "in the desert",
    "sunset": "at sunset",
}
BACKGROUNDS = {name: f"on a{'n' if name == 'orange' else ''} {name} background" for name in PLAIN} | PLACES


@dataclass(frozen=True, kw_only=True)
class Scene:
    subject: str
    artist: str  # an emoji set
    background: str
    size: float  # of the drawing's frame, as a share of the picture
    x: float  # its centre, as a share
    y: float
    seed: int  # of what is by chance in the background


def sample_scene(rng: np.random.Generator, subjects: tuple[str, ...], artists: tuple[str, ...]) -> Scene:
    return Scene(
        subject=str(rng.choice(subjects)),
        artist=str(rng.choice(artists)),
        background=str(rng.choice(list(BACKGROUNDS))),
        size=float(rng.uniform(0.72, 0.88)),
        x=float(0.5 + rng.uniform(-0.05, 0.05)),
        y=float(0.5 + rng.uniform(-0.05, 0.05)),
        seed=int(rng.integers(2**31)),
    )


def held_out(scene: Scene) -> bool:
    """Whether no model is trained on this subject before this background (one pair in eleven): queries are made of these."""
    return (list(SUBJECTS).index(scene.subject) + 3 * list(BACKGROUNDS).index(scene.background)) % 11 == 0


def caption(scene: Scene) -> str:
    return f"{with_article(scene.subject)} {BACKGROUNDS[scene.background]}"


def render(scene: Scene, packages_folder: Path) -> Picture:
    canvas = _background(scene.background, np.random.default_rng(scene.seed))
    drawing = _drawing(scene.artist, emoji(scene.subject), packages_folder)
    side = round(scene.size * SIDE)
    small = drawing.resize((side, side), Image.Resampling.LANCZOS)
    canvas.paste(small, (round(scene.x * SIDE - side / 2), round(scene.y * SIDE - side / 2)), small)
    return np.asarray(canvas)


@cache
def _drawing(artist: str, icon: str, folder: Path) -> Image.Image:
    """(192, 192) RGBA."""
    drawn = resvg_py.svg_to_bytes(svg_string=packages.svg(artist, icon, folder), width=192, height=192)
    return Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")


def _background(name: str, rng: np.random.Generator) -> Image.Image:
    if name in PLAIN:
        return Image.new("RGB", (SIDE, SIDE), _jitter(PLAIN[name], rng))
    large = Image.fromarray(_sky(name))
    draw = ImageDraw.Draw(large)
    {"grass": _grass, "night": _night, "sea": _sea, "snow": _snow, "desert": _desert, "sunset": _sunset}[name](
        draw, rng
    )
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)


SKIES: dict[str, tuple[RGB, RGB]] = {  # above and at the horizon
    "grass": ((150, 205, 250), (215, 236, 250)),
    "night": ((16, 20, 58), (46, 52, 112)),
    "sea": ((160, 212, 250), (224, 240, 250)),
    "snow": ((168, 192, 220), (220, 230, 242)),
    "desert": ((250, 214, 150), (252, 236, 196)),
    "sunset": ((118, 74, 150), (250, 150, 84)),
}
LARGE = 2 * SIDE


def _sky(name: str) -> Picture:
    above, below = (np.array(colour, dtype=np.float32) for colour in SKIES[name])
    share = np.linspace(0, 1, LARGE, dtype=np.float32)[:, None, None]
    return np.broadcast_to(above + (below - above) * share, (LARGE, LARGE, 3)).round().astype(np.uint8)


def _grass(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    draw.rectangle([0, LARGE * rng.uniform(0.64, 0.72), LARGE, LARGE], fill=_jitter((112, 184, 84), rng))


def _night(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    for x, y, r in rng.uniform([0, 0, 2.5], [LARGE, LARGE, 4.5], (14, 3)):
        draw.ellipse([x - r, y - r, x + r, y + r], fill=(250, 244, 200))


def _sea(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    horizon = LARGE * rng.uniform(0.5, 0.58)
    draw.rectangle([0, horizon, LARGE, LARGE], fill=_jitter((52, 140, 200), rng))
    draw.rectangle([0, LARGE * rng.uniform(0.78, 0.84), LARGE, LARGE], fill=(240, 218, 166))


def _snow(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    draw.rectangle([0, LARGE * rng.uniform(0.66, 0.72), LARGE, LARGE], fill=(246, 250, 254))
    for x, y, r in rng.uniform([0, 0, 3.5], [LARGE, LARGE * 0.66, 5.5], (12, 3)):
        draw.ellipse([x - r, y - r, x + r, y + r], fill=(255, 255, 255))


def _desert(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    top = LARGE * rng.uniform(0.62, 0.68)
    draw.rectangle([0, top + 18, LARGE, LARGE], fill=(222, 170, 98))
    for x in rng.uniform(0, LARGE, 2):
        draw.ellipse([x - 120, top - 8, x + 120, top + 70], fill=(222, 170, 98))


def _sunset(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    ground = LARGE * rng.uniform(0.7, 0.76)
    x, r = LARGE * rng.uniform(0.2, 0.8), 52
    draw.ellipse([x - r, ground - r, x + r, ground + r], fill=(252, 216, 110))
    draw.rectangle([0, ground, LARGE, LARGE], fill=(70, 44, 84))


def _jitter(colour: RGB, rng: np.random.Generator) -> RGB:
    r, g, b = np.clip(np.array(colour) + rng.normal(0, 4, 3), 0, 255).astype(int)
    return int(r), int(g), int(b)
