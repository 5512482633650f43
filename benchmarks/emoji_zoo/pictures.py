"""Sets of pictures of the emoji world, each named by its settings and a seed; rendered once, kept in the work folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from . import painters
from .packages import has
from .scenes import Picture, Scene, held_out, render, sample_scene
from .subjects import BASE_SUBJECTS, emoji
from .tints import tinted


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    count: int
    seed: int
    subjects: tuple[str, ...] = tuple(BASE_SUBJECTS)
    artists: tuple[str, ...] = (
        "noto",
    )  # one of them draws a picture; one who lacks its subject leaves it to the first
    painted: float = 0.0  # share of pictures that a painter has repainted
    painters: tuple[int, ...] = tuple(range(painters.COUNT))
    tint: str = ""  # a name in `tints.TINTS`, for all pictures
    spared: bool = False  # nothing of what `scenes.held_out` keeps for queries is in it

    @property
    def name(self) -> str:
        """Of its file: what differs from a set of this seed that nothing else was said of, so that settings can be added."""
        plain = PictureSet(count=self.count, seed=self.seed, subjects=())
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return digest(
            {key: value for key, value in told.items() if key == "count" or value != getattr(plain, key)}
            | {"seed": self.seed}
        )


@dataclass(frozen=True)
class Shown:
    """What a picture shows."""

    scene: Scene
    painter: int | None
    tint: str


def shown(pictures: PictureSet, index: int, packages: Path) -> Shown:
    rng = np.random.default_rng([pictures.seed, index])
    scene = sample_scene(rng, pictures.subjects, pictures.artists)
    while pictures.spared and held_out(scene):
        scene = sample_scene(rng, pictures.subjects, pictures.artists)
    if not has(scene.artist, emoji(scene.subject), packages):
        scene = Scene(**asdict(scene) | {"artist": pictures.artists[0]})
    painter = int(rng.choice(pictures.painters)) if rng.random() < pictures.painted else None
    return Shown(scene, painter, pictures.tint)


def draw(what: Shown, packages: Path) -> Picture:
    picture = render(what.scene, packages)
    if what.painter is not None:
        picture = painters.painted(picture, what.painter)
    return tinted(picture, what.tint) if what.tint else picture


def digest(settings: object) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def load(pictures: PictureSet, work: Path) -> tuple[np.ndarray, list[Shown]]:
    """Pictures (N, 128, 128, 3) uint8, and what the N show."""
    packages = work / "npm"
    path = work / "pictures" / f"{pictures.name}.npy"
    what = [shown(pictures, index, packages) for index in range(pictures.count)]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npy")
        np.save(partial, np.stack([draw(one, packages) for one in what]))
        partial.replace(path)
    return np.load(path, mmap_mode="r"), what


def sheet(pictures: np.ndarray, columns: int, path: Path) -> None:
    """A contact sheet of pictures (N, H, W, 3)."""
    height, width = pictures.shape[1:3]
    rows = -(-len(pictures) // columns)
    out = Image.new("RGB", (columns * (width + 2), rows * (height + 2)), "white")
    for number, pixels in enumerate(pictures):
        out.paste(Image.fromarray(pixels), (number % columns * (width + 2), number // columns * (height + 2)))
    out.save(path)
