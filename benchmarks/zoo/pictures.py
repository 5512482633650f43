"""Sets of captioned pictures, each named by its settings and a seed, rendered once and kept in the work folder."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from .styles import FAMILIES, Style, describe, measured, sample_style
from .subjects import BASE_SUBJECTS
from .world import Picture, caption, render, sample_scene

PALETTES = tuple(name for name, known in FAMILIES.items() if known.palette)
WORTH_PROCESSES = 1000  # pictures; for fewer, starting processes takes longer than drawing


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    count: int
    seed: int
    subjects: tuple[str, ...] = tuple(BASE_SUBJECTS)
    styled: float = 0.0  # share of pictures in a random style (values reserved for models never occur)
    drawn: float = 0.0  # share shown as line drawings
    style: Style | None = None  # one style for all
    words: str = ""  # put into every caption (a trigger word)
    misnamed: float = (
        0.0  # share of captions that name another subject, so that a subject LoRA draws its own thing anyway
    )
    flip: bool | None = None  # which way things face; by chance unless it is said
    recoloured: float = 0.0  # share of the styled pictures whose marks are coloured by a palette too
    measured: float = 0.0  # share of the styled pictures' captions that tell the style's numbers
    alone: float = 0.25  # share of the styled pictures' captions that say nothing of what is shown


def digest(settings: object) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def load(pictures: PictureSet, work: Path) -> tuple[np.ndarray, list[str]]:
    """Pictures (N, 64, 64, 3) uint8 and their N captions."""
    path = work / "pictures" / f"{digest(asdict(pictures))}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pairs = _drawn(pictures)
        partial = path.with_suffix(".part.npz")
        np.savez_compressed(partial, pictures=np.stack([p for p, _ in pairs]), captions=np.array([c for _, c in pairs]))
        partial.replace(path)
    with np.load(path) as kept:
        return kept["pictures"], [str(c) for c in kept["captions"]]


def _drawn(pictures: PictureSet) -> list[tuple[Picture, str]]:
    if pictures.count < WORTH_PROCESSES:
        return [draw(pictures, index) for index in range(pictures.count)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.map(_Draw(pictures), range(pictures.count), chunksize=64)


@dataclass(frozen=True)
class _Draw:
    pictures: PictureSet

    def __call__(self, index: int) -> tuple[Picture, str]:
        return draw(self.pictures, index)


def draw(pictures: PictureSet, index: int) -> tuple[Picture, str]:
    rng = np.random.default_rng([pictures.seed, index])
    scene = replace(sample_scene(rng, pictures.subjects), flip=pictures.flip)
    words = caption(scene)
    if pictures.misnamed and rng.random() < pictures.misnamed:
        words = caption(replace(scene, subject=str(rng.choice(list(BASE_SUBJECTS)))))
    kind = rng.random()
    if kind < pictures.drawn:
        return line_drawing(render(scene)), str(
            rng.choice(["a line drawing of {}", "a black and white drawing of {}", "{}, a sketch"])
        ).format(words)
    style = pictures.style
    if style is None and kind < pictures.drawn + pictures.styled:
        style = _any_style(rng, pictures.recoloured)
        look = describe(style, rng)
        if pictures.measured and rng.random() < pictures.measured:
            look = f"{look}, {measured(style)}".removesuffix(", ")
        words = _styled_caption(words, look, rng, pictures.alone)
    if pictures.words:
        words = f"{words}, {pictures.words}"
    return render(scene, style), words


def _any_style(rng: np.random.Generator, recoloured: float) -> Style:
    style = sample_style(rng)
    if not recoloured or FAMILIES[style.family].palette or rng.random() > recoloured:
        return style
    return replace(style, palette=sample_style(rng, PALETTES))


def _styled_caption(scene: str, style: str, rng: np.random.Generator, alone: float) -> str:
    kind = rng.random()
    if kind < alone:
        return f"a picture, {style}"
    return f"{scene}, {style}" if kind < 0.75 + (alone - 0.25) / 3 else f"{style}, {scene}"


def line_drawing(picture: Picture) -> Picture:
    """Black outlines on white, (64, 64, 3): a stand-in for the line drawings that a sketch query holds."""
    large = Image.fromarray(picture).resize((192, 192), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    channels = [_outline(c) for c in large.split()]
    strong = np.max([np.asarray(c, dtype=np.float32) for c in channels], axis=0)
    ink = np.clip((strong - 18) / 30, 0, 1)
    small = Image.fromarray(np.uint8(255 * (1 - ink))).resize((64, 64), Image.Resampling.BOX)
    return np.repeat(np.asarray(small)[..., None], 3, axis=-1)


def _outline(channel: Image.Image) -> Image.Image:
    return ImageChops.difference(channel.filter(ImageFilter.MaxFilter(5)), channel.filter(ImageFilter.MinFilter(5)))
