"""The procedural world: 64x64 RGB pictures of a subject in a colour before a background, with captions.

A picture depends on its `Scene` and `Style` alone; scenes are drawn from a numpy generator, so a seed names a data set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .styles import SCALE, SIZE, Style, apply
from .subjects import BASE_SUBJECTS, PLURALS, RGB, SUBJECTS, UPRIGHT, Pen, Pose

Picture = NDArray[np.uint8]  # (64, 64, 3)

COLOURS: dict[str, RGB] = {
    "red": (220, 40, 45),
    "orange": (245, 135, 30),
    "yellow": (245, 215, 50),
    "green": (55, 160, 70),
    "blue": (45, 85, 215),
    "purple": (135, 60, 175),
    "pink": (245, 130, 185),
    "brown": (135, 85, 50),
    "teal": (30, 165, 165),
}
BACKGROUNDS = {
    "white": "on a white background",
    "black": "on a black background",
    "grey": "on a grey background",
    "sky": "in the sky",
    "grass": "on green grass",
    "night": "at night",
}
COUNTS = {1: "a", 2: "two", 3: "three"}


@dataclass(frozen=True, kw_only=True)
class Scene:
    subject: str
    colour: str
    background: str
    count: int = 1
    seed: int = 0  # poses, and whatever is random in the background and the style
    flip: bool | None = None  # towards the right; by chance unless it is said


def sample_scene(
    rng: np.random.Generator, subjects: tuple[str, ...] = tuple(BASE_SUBJECTS), *, query: bool = False
) -> Scene:
    """A scene for training and probes, or one whose prompt is held out for queries."""
    while True:
        scene = Scene(
            subject=str(rng.choice(subjects)),
            colour=str(rng.choice(list(COLOURS))),
            background=str(rng.choice(list(BACKGROUNDS))),
            count=1 if query else int(rng.choice([1, 2, 3], p=[0.8, 0.12, 0.08])),
            seed=int(rng.integers(2**31)),
        )
        if held_out(scene) == query:
            return scene


def held_out(scene: Scene) -> bool:
    """Whether the scene's combination of subject, colour and background is kept for queries (one in eleven)."""
    places = (
        list(SUBJECTS).index(scene.subject),
        list(COLOURS).index(scene.colour),
        list(BACKGROUNDS).index(scene.background),
    )
    return (places[0] + 2 * places[1] + 3 * places[2]) % 11 == 0


def caption(scene: Scene) -> str:
    noun = scene.subject
    if scene.count > 1:
        noun = PLURALS.get(noun, noun + "s")
    article = "an" if scene.count == 1 and scene.colour == "orange" else COUNTS[scene.count]
    return f"{article} {scene.colour} {noun} {BACKGROUNDS[scene.background]}"


def render(scene: Scene, style: Style | None = None) -> Picture:
    rng = np.random.default_rng(scene.seed)
    side = SIZE * SCALE
    canvas = _background(scene.background, side, rng)
    draw = ImageDraw.Draw(canvas)
    for pose in _poses(scene, side, rng):
        SUBJECTS[scene.subject](Pen(draw, pose, _jitter(COLOURS[scene.colour], rng)))
    image = np.asarray(canvas, dtype=np.float32) / 255
    if style is not None:
        image = np.clip(apply(style, image, rng), 0, 1)
    small = image.reshape(SIZE, SCALE, SIZE, SCALE, 3).mean(axis=(1, 3))
    return np.round(small * 255).astype(np.uint8)


def _poses(scene: Scene, side: int, rng: np.random.Generator) -> list[Pose]:
    size = side * {1: rng.uniform(0.27, 0.4), 2: rng.uniform(0.19, 0.24), 3: rng.uniform(0.15, 0.19)}[scene.count]
    turn = 0.12 if scene.subject in UPRIGHT else 0.5
    slack = {1: 0.08, 2: 0.05, 3: 0.04}[scene.count]
    poses = []
    for i in range(scene.count):
        x = (i + 0.5) / scene.count if scene.count > 1 else 0.5
        x = 0.5 + (x - 0.5) * 0.95
        poses.append(
            Pose(
                x=side * (x + rng.uniform(-slack, slack)),
                y=side * (0.5 + rng.uniform(-slack, slack) * (1 if scene.count == 1 else 3)),
                size=size * rng.uniform(0.92, 1.08),
                angle=rng.uniform(-turn, turn),
                flip=bool(rng.integers(2)) if scene.flip is None else scene.flip,
            )
        )
    return poses


def _background(name: str, side: int, rng: np.random.Generator) -> Image.Image:
    plain = {
        "white": (248, 248, 246),
        "black": (18, 18, 20),
        "grey": (140, 140, 144),
        "sky": (150, 205, 245),
        "grass": (190, 225, 250),
    }
    image = Image.new("RGB", (side, side), plain.get(name, (22, 26, 72)))
    draw = ImageDraw.Draw(image)
    if name == "grass":
        draw.rectangle([0, side * rng.uniform(0.55, 0.7), side, side], fill=(105, 185, 85))
    if name == "sky":
        for _ in range(2):
            x, y = rng.uniform(0, side, 2)
            for dx in (-0.08, 0, 0.08):
                _disc(draw, x + dx * side, y - (0.03 * side if dx == 0 else 0), 0.07 * side, (250, 252, 255))
    if name == "night":
        for _ in range(9):
            _disc(draw, *rng.uniform(0, side, 2), side * 0.014, (240, 235, 190))
    return image


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, fill: RGB) -> None:
    draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)


def _jitter(colour: RGB, rng: np.random.Generator) -> RGB:
    r, g, b = np.clip(np.array(colour) + rng.normal(0, 7, 3), 0, 255).astype(int)
    return int(r), int(g), int(b)
