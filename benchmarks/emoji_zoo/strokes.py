"""Hand-like line drawings of the world's subjects: `hand_drawings`, with the wobble of a hand that differs from one drawer to the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from . import models
from .hand_drawings import DRAWINGS
from .subjects import SUBJECTS

SIDE = 256
DRAWERS = 3  # each draws all subjects
STEPS = 12  # between two points of a stroke
FINE = 4  # drawn so much larger first
Points = NDArray[np.floating]  # (n, 2), in a square of 100


def drawn(subject: str, drawer: int) -> Image.Image:
    """Black strokes on white. KeyError where nobody has drawn the subject."""
    rng = np.random.default_rng([drawer, list(DRAWINGS).index(subject)])
    turn, size, at = rng.normal(0, 0.05), rng.uniform(0.85, 0.98), rng.uniform(47, 53, 2)
    turned = size * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    width = round(rng.uniform(2.2, 4.2) * FINE)
    picture = Image.new("L", (SIDE * FINE, SIDE * FINE), 255)
    draw = ImageDraw.Draw(picture)
    for stroke in DRAWINGS[subject]:
        points = _wobbled(_curve(_points(stroke, rng)), rng)
        places = ((points - 50) @ turned + at) * SIDE * FINE / 100
        draw.line([(float(x), float(y)) for x, y in places], fill=20, width=width, joint="curve")
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert("RGB")


def wanted() -> dict[str, str]:
    """By subject, the stem of the model that draws it: the LoRA of that thing, else its category's checkpoint."""
    loras = {plan.subjects[0]: Path(plan.file).stem for plan in models.loras() if len(plan.subjects) == 1}
    of_category = {SUBJECTS[plan.subjects[0]]: Path(plan.file).stem for plan in models.checkpoints()}
    return {subject: loras.get(subject) or of_category[SUBJECTS[subject]] for subject in DRAWINGS}


def _points(stroke: str, rng: np.random.Generator) -> Points:
    if not stroke.startswith("o "):
        return np.array([[float(number) for number in point.split(",")] for point in stroke.split()])
    (cx, cy), (rx, ry) = ([float(number) for number in part.split(",")] for part in stroke.split()[1:])
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * rng.uniform(0.96, 1.06), 14)
    return np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)


def _curve(points: Points) -> Points:
    """Through the points, a little rounded at the corners (cardinal spline)."""
    slopes = 0.25 * np.gradient(points, axis=0) if len(points) > 2 else np.zeros_like(points)
    t = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    parts = [
        (2 * t**3 - 3 * t**2 + 1) * a + (t**3 - 2 * t**2 + t) * u + (3 * t**2 - 2 * t**3) * b + (t**3 - t**2) * v
        for a, b, u, v in zip(points[:-1], points[1:], slopes[:-1], slopes[1:], strict=True)
    ]
    return np.concatenate([*parts, points[-1:]])


def _wobbled(points: Points, rng: np.random.Generator) -> Points:
    """A hand's slow drift and faster tremble along the way, and a start that is off by a little."""
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    off = rng.normal(0, 0.5, 2)
    for length, much in ((60, 0.9), (22, 0.5), (7, 0.15)):
        off = off + much * np.sin(2 * np.pi * (way[:, None] / length + rng.uniform(0, 1, 2)))
    return points + off
