"""Subjects of the world as a hand draws them: lines instead of areas, with three pens, shaky, open at the ends.

None of them is a drawer of the project, so none has drawn what an index holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.zoo.subjects import RGB, SUBJECTS, Pen, Points, Pose

SIDE = 256  # pixels of the paper
INK: RGB = (20, 20, 24)
Line = NDArray[np.floating]  # (n, 2) points in pixels


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How lines are drawn, in pixels of the paper: width, how far they waver, how much of a closed line is left open."""

    width: float
    waver: float
    open: float
    twice: bool = False  # every line goes over itself again
    ink: RGB = INK


HANDS = {
    "fine pen": Hand(width=2, waver=1.5, open=0.02),
    "marker": Hand(width=7, waver=3, open=0.05),
    "pencil, sketchy": Hand(width=2, waver=4, open=0.1, twice=True, ink=(90, 90, 96)),
}


class StrokePen(Pen):
    """Takes a subject's areas for outlines, and leaves out small ones, as one does when drawing quickly."""

    def __init__(self, draw: ImageDraw.ImageDraw, pose: Pose, hand: Hand, rng: np.random.Generator) -> None:
        super().__init__(draw, pose, hand.ink)
        self._hand, self._rng = hand, rng

    def polygon(self, points: Points, fill: RGB) -> None:
        places = np.array([self._place(p) for p in [*points, points[0]]])
        if np.ptp(places, axis=0).max() < 0.06 * SIDE:
            return
        self._stroke(places)

    def line(self, points: Points, width: float, fill: RGB) -> None:
        self._stroke(np.array([self._place(p) for p in points]))

    def _stroke(self, places: Line) -> None:
        for _ in range(2 if self._hand.twice else 1):
            drawn = shaky(places, self._hand, self._rng)
            self.draw.line([*map(tuple, drawn)], fill=self._hand.ink, width=round(self._hand.width), joint="curve")


def shaky(places: Line, hand: Hand, rng: np.random.Generator) -> Line:
    """The line at even steps, bent by a slow random walk, its ends cut off."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    steps = np.linspace(0, lengths[-1] * (1 - hand.open), max(4, int(lengths[-1] / 4)))
    even = np.stack([np.interp(steps, lengths, places[:, axis]) for axis in (0, 1)], axis=1)
    knots = rng.normal(0, hand.waver, (max(2, len(even) // 8), 2))
    at = np.linspace(0, len(knots) - 1, len(even))
    return even + np.stack([np.interp(at, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def draw(subject: str, hand: Hand, rng: np.random.Generator) -> Image.Image:
    """One subject on white paper."""
    paper = Image.new("RGB", (SIDE, SIDE), "white")
    pose = Pose(
        x=SIDE / 2 + rng.uniform(-12, 12),
        y=SIDE / 2 + rng.uniform(-12, 12),
        size=SIDE * rng.uniform(0.28, 0.4),
        angle=rng.uniform(-0.15, 0.15),
        flip=bool(rng.integers(2)),
    )
    subject_of: Callable[[Pen], None] = SUBJECTS[subject]
    subject_of(StrokePen(ImageDraw.Draw(paper), pose, hand, rng))
    return paper
