"""The things in the world's pictures, each drawn from a few polygons in its own [-1, 1] square (y points down)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

RGB = tuple[int, int, int]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Pose:
    x: float  # centre, in pixels of the canvas
    y: float
    size: float  # half the width, in pixels of the canvas
    angle: float = 0.0  # radians
    flip: bool = False


class Pen:
    """Draws in a subject's own coordinates; holds the canvas, the pose and the subject's three tones."""

    def __init__(self, draw: ImageDraw.ImageDraw, pose: Pose, colour: RGB):
        self.draw, self.pose = draw, pose
        self.main = colour
        self.dark = _mix(colour, (0, 0, 0), 0.45)
        self.light = _mix(colour, (255, 255, 255), 0.6)
        self.ink = (30, 28, 34)

    def polygon(self, points: Points, fill: RGB) -> None:
        self.draw.polygon([self._place(p) for p in points], fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: RGB, turn: float = 0.0) -> None:
        self.arc(x, y, rx, ry, 0, 2 * np.pi, fill, turn)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: RGB, turn: float = 0.0
    ) -> None:
        t = np.linspace(start, end, 33)
        u, v = rx * np.cos(t), ry * np.sin(t)
        c, s = np.cos(turn), np.sin(turn)
        self.polygon([(x + a * c - b * s, y + a * s + b * c) for a, b in zip(u, v, strict=True)], fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: RGB) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def line(self, points: Points, width: float, fill: RGB) -> None:
        places = [self._place(p) for p in points]
        self.draw.line(places, fill=fill, width=max(1, round(width * self.pose.size)), joint="curve")

    def _place(self, point: tuple[float, float]) -> tuple[float, float]:
        p = self.pose
        x, y = (-point[0] if p.flip else point[0]), point[1]
        c, s = np.cos(p.angle), np.sin(p.angle)
        return p.x + p.size * (x * c - y * s), p.y + p.size * (x * s + y * c)


def _mix(a: RGB, b: RGB, t: float) -> RGB:
    return tuple(round(p + (q - p) * t) for p, q in zip(a, b, strict=True))  # type: ignore[return-value]  # three channels in, three out


def star(pen: Pen) -> None:
    t = np.arange(10) * np.pi / 5 - np.pi / 2
    r = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
    pen.polygon(list(zip(r * np.cos(t), r * np.sin(t), strict=True)), pen.main)


def house(pen: Pen) -> None:
    pen.box(-0.75, -0.1, 0.75, 0.95, pen.main)
    pen.polygon([(-1, -0.1), (0, -0.95), (1, -0.1)], pen.dark)
    pen.box(-0.18, 0.35, 0.22, 0.95, pen.ink)
    pen.box(-0.6, 0.15, -0.3, 0.5, pen.light)


def tree(pen: Pen) -> None:
    pen.box(-0.16, 0.3, 0.16, 1.0, (110, 70, 40))
    for top, width in ((-1.0, 0.55), (-0.6, 0.75), (-0.15, 0.95)):
        pen.polygon([(0, top), (-width, top + 0.7), (width, top + 0.7)], pen.main)


def fish(pen: Pen) -> None:
    pen.polygon([(0.4, 0), (1, -0.55), (1, 0.55)], pen.dark)
    pen.ellipse(-0.2, 0, 0.8, 0.5, pen.main)
    pen.ellipse(-0.6, -0.12, 0.13, 0.13, (255, 255, 255))
    pen.ellipse(-0.62, -0.12, 0.07, 0.07, pen.ink)
    pen.polygon([(-0.1, 0), (0.2, -0.2), (0.2, 0.2)], pen.dark)


def cat(pen: Pen) -> None:
    for side in (-1, 1):
        pen.polygon([(side * 0.85, -1), (side * 0.8, 0.1), (side * 0.1, -0.55)], pen.main)
    pen.ellipse(0, 0.15, 0.88, 0.78, pen.main)
    for side in (-1, 1):
        pen.ellipse(side * 0.36, 0, 0.17, 0.2, (255, 255, 255))
        pen.ellipse(side * 0.36, 0, 0.08, 0.18, pen.ink)
        pen.line([(side * 0.25, 0.45), (side * 1.0, 0.35)], 0.06, pen.ink)
    pen.polygon([(-0.13, 0.3), (0.13, 0.3), (0, 0.47)], pen.ink)


def car(pen: Pen) -> None:
    pen.polygon([(-0.55, -0.1), (-0.35, -0.55), (0.35, -0.55), (0.6, -0.1)], pen.main)
    pen.polygon([(-0.4, -0.1), (-0.25, -0.42), (0.27, -0.42), (0.42, -0.1)], (205, 230, 245))
    pen.box(-1, -0.1, 1, 0.35, pen.main)
    for x in (-0.55, 0.55):
        pen.ellipse(x, 0.38, 0.27, 0.27, pen.ink)
        pen.ellipse(x, 0.38, 0.11, 0.11, (200, 200, 200))


def boat(pen: Pen) -> None:
    pen.polygon([(-1, 0.35), (1, 0.35), (0.6, 0.9), (-0.6, 0.9)], pen.dark)
    pen.box(-0.05, -0.95, 0.05, 0.35, (90, 60, 40))
    pen.polygon([(0.1, -0.9), (0.1, 0.22), (0.85, 0.22)], pen.main)
    pen.polygon([(-0.1, -0.7), (-0.1, 0.22), (-0.7, 0.22)], pen.light)


def flower(pen: Pen) -> None:
    pen.box(-0.06, 0.1, 0.06, 1.0, (50, 130, 60))
    pen.ellipse(0.28, 0.75, 0.26, 0.1, (50, 130, 60), -0.5)
    for t in np.arange(6) * np.pi / 3:
        pen.ellipse(0.42 * np.cos(t), -0.3 + 0.42 * np.sin(t), 0.3, 0.2, pen.main, float(t))
    pen.ellipse(0, -0.3, 0.22, 0.22, (250, 210, 60))


def heart(pen: Pen) -> None:
    t = np.linspace(0, 2 * np.pi, 49)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    pen.polygon(list(zip(x / 17, y / 17, strict=True)), pen.main)


def moon(pen: Pen) -> None:
    t = np.linspace(np.pi * 0.35, np.pi * 1.65, 33)
    outer = list(zip(np.cos(t), np.sin(t), strict=True))
    inner = [(0.45 + 0.62 * (x - 0.45) / 1.0 + 0.15, y * 0.85) for x, y in outer[::-1]]
    pen.polygon(outer + inner, pen.main)


def mushroom(pen: Pen) -> None:
    pen.polygon([(-0.25, 0), (0.25, 0), (0.35, 0.95), (-0.35, 0.95)], (240, 228, 205))
    pen.arc(0, 0.1, 1.0, 1.0, np.pi, 2 * np.pi, pen.main)
    for x, y, r in ((-0.5, -0.15, 0.16), (0.05, -0.5, 0.2), (0.55, -0.15, 0.15)):
        pen.ellipse(x, y, r, r, (255, 255, 255))


def cup(pen: Pen) -> None:
    pen.ellipse(0.62, 0.05, 0.38, 0.38, pen.dark)
    pen.ellipse(0.62, 0.05, 0.2, 0.2, pen.light)
    pen.polygon([(-0.75, -0.6), (0.65, -0.6), (0.5, 0.8), (-0.6, 0.8)], pen.main)
    pen.ellipse(-0.05, -0.6, 0.7, 0.16, pen.light)


def bird(pen: Pen) -> None:
    pen.polygon([(0.4, 0.1), (1.0, -0.2), (0.95, 0.3)], pen.dark)
    pen.ellipse(0.05, 0.15, 0.62, 0.45, pen.main)
    pen.ellipse(-0.5, -0.3, 0.36, 0.36, pen.main)
    pen.polygon([(-0.8, -0.4), (-0.8, -0.15), (-1.15, -0.22)], (250, 180, 40))
    pen.ellipse(-0.58, -0.38, 0.08, 0.08, pen.ink)
    pen.ellipse(0.15, 0.1, 0.38, 0.22, pen.dark, 0.4)
    for x in (-0.1, 0.2):
        pen.line([(x, 0.55), (x, 0.95)], 0.09, (230, 150, 40))


def umbrella(pen: Pen) -> None:
    pen.box(-0.06, -0.1, 0.06, 0.8, (90, 60, 40))
    pen.arc(0.2, 0.75, 0.26, 0.25, 0, np.pi, (90, 60, 40))
    pen.arc(0, 0, 1.0, 0.95, np.pi, 2 * np.pi, pen.main)
    pen.arc(0, 0, 0.4, 0.95, np.pi, 2 * np.pi, pen.dark)


def rocket(pen: Pen) -> None:
    pen.polygon([(-0.25, 0.6), (0, 1.05), (0.25, 0.6)], (250, 160, 40))
    for side in (-1, 1):
        pen.polygon([(side * 0.3, 0.1), (side * 0.75, 0.75), (side * 0.3, 0.6)], pen.dark)
    pen.polygon([(-0.38, 0.6), (-0.38, -0.3), (0, -1), (0.38, -0.3), (0.38, 0.6)], pen.main)
    pen.ellipse(0, -0.15, 0.2, 0.2, (205, 230, 245))


def key(pen: Pen) -> None:
    pen.ellipse(-0.55, 0, 0.45, 0.45, pen.main)
    pen.ellipse(-0.55, 0, 0.2, 0.2, pen.ink)
    pen.box(-0.15, -0.12, 1, 0.12, pen.main)
    pen.box(0.5, 0.1, 0.66, 0.45, pen.main)
    pen.box(0.82, 0.1, 1, 0.5, pen.main)


def butterfly(pen: Pen) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.52, -0.35, 0.5, 0.42, pen.main, side * 0.6)
        pen.ellipse(side * 0.42, 0.42, 0.36, 0.34, pen.dark, -side * 0.6)
        pen.ellipse(side * 0.58, -0.4, 0.18, 0.16, pen.light)
        pen.line([(0, -0.6), (side * 0.25, -1)], 0.06, pen.ink)
    pen.ellipse(0, 0, 0.1, 0.7, pen.ink)


def crown(pen: Pen) -> None:
    pen.polygon([(-0.9, 0.7), (-1, -0.5), (-0.5, 0), (0, -0.8), (0.5, 0), (1, -0.5), (0.9, 0.7)], pen.main)
    pen.box(-0.9, 0.45, 0.9, 0.75, pen.dark)
    for x, y in ((-1, -0.5), (0, -0.8), (1, -0.5)):
        pen.ellipse(x, y, 0.14, 0.14, pen.light)


def ghost(pen: Pen) -> None:
    pen.arc(0, -0.2, 0.75, 0.75, np.pi, 2 * np.pi, pen.main)
    wave = [(0.75, 0.95), (0.45, 0.65), (0.2, 0.95), (0, 0.65), (-0.2, 0.95), (-0.45, 0.65), (-0.75, 0.95)]
    pen.polygon([(-0.75, -0.22), (0.75, -0.22), *wave], pen.main)
    for x in (-0.28, 0.28):
        pen.ellipse(x, -0.2, 0.15, 0.22, pen.ink)
    pen.ellipse(0, 0.25, 0.13, 0.16, pen.ink)


def robot(pen: Pen) -> None:
    pen.line([(0, -0.6), (0, -1)], 0.1, pen.ink)
    pen.ellipse(0, -1, 0.13, 0.13, (240, 70, 60))
    pen.box(-0.7, -0.7, 0.7, 0.15, pen.main)
    for x in (-0.32, 0.32):
        pen.ellipse(x, -0.35, 0.19, 0.19, (255, 250, 200))
        pen.ellipse(x, -0.35, 0.08, 0.08, pen.ink)
    pen.box(-0.4, -0.08, 0.4, 0.04, pen.ink)
    pen.box(-0.5, 0.22, 0.5, 1.0, pen.dark)
    for side in (-1, 1):
        pen.line([(side * 0.5, 0.35), (side * 0.95, 0.75)], 0.17, pen.main)


Subject = Callable[[Pen], None]
BASE_SUBJECTS: dict[str, Subject] = {
    f.__name__: f for f in (star, house, tree, fish, cat, car, boat, flower, heart, moon, mushroom, cup, bird, umbrella)
}
HELD_OUT_SUBJECTS: dict[str, Subject] = {f.__name__: f for f in (rocket, key, butterfly, crown, ghost, robot)}
SUBJECTS = BASE_SUBJECTS | HELD_OUT_SUBJECTS
UPRIGHT = {
    "house",
    "tree",
    "car",
    "boat",
    "flower",
    "mushroom",
    "cup",
    "umbrella",
    "bird",
    "ghost",
    "robot",
    "crown",
    "cat",
    "heart",
}
PLURALS = {"fish": "fish", "butterfly": "butterflies"}
