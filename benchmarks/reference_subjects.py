"""Draws the 30 subjects of the reference set: `python benchmarks/reference_subjects.py`.

Faces, animals, objects, landscapes, interiors, abstract shapes and patterns, 512 pixels wide, as WebP into
modelsearch_core/reference_subjects/. Every picture is drawn here, from nothing, so the project may ship it. The files are
kept rather than drawn anew on each machine, because their drawings' digests are in every probe set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

OUT = Path(__file__).resolve().parent.parent / "modelsearch_core" / "reference_subjects"
SIZE, FINER = 512, 2
Colour = str
Point = tuple[float, float]
SUBJECTS: dict[str, Callable[[Pen], None]] = {}


class Pen:
    """Draws on a square from (0, 0) to (1, 1)."""

    def __init__(self) -> None:
        self.edge = SIZE * FINER
        self.image = Image.new("RGB", (self.edge, self.edge), "white")
        self.draw = ImageDraw.Draw(self.image)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.edge, y * self.edge) for x, y in points]

    def fade(self, top: Colour, bottom: Colour, y0: float = 0, y1: float = 1) -> None:
        a, b = (np.array(Image.new("RGB", (1, 1), c).getpixel((0, 0)), float) for c in (top, bottom))
        rows = range(round(y0 * self.edge), round(y1 * self.edge))
        for y in rows:
            share = (y - rows.start) / max(1, len(rows) - 1)
            self.draw.line([(0, y), (self.edge, y)], fill=tuple(int(v) for v in a + share * (b - a)))

    def shape(self, fill: Colour, *points: Point) -> None:
        self.draw.polygon(self._at(points), fill=fill)

    def box(self, fill: Colour, x0: float, y0: float, x1: float, y1: float, round_by: float = 0) -> None:
        self.draw.rounded_rectangle(self._at([(x0, y0), (x1, y1)]), radius=round_by * self.edge, fill=fill)

    def oval(self, fill: Colour, x: float, y: float, rx: float, ry: float | None = None) -> None:
        ry = rx if ry is None else ry
        self.draw.ellipse(self._at([(x - rx, y - ry), (x + rx, y + ry)]), fill=fill)

    def ring(self, fill: Colour, x: float, y: float, r: float, width: float) -> None:
        self.draw.ellipse(self._at([(x - r, y - r), (x + r, y + r)]), outline=fill, width=round(width * self.edge))

    def line(self, fill: Colour, width: float, *points: Point) -> None:
        self.draw.line(self._at(points), fill=fill, width=round(width * self.edge), joint="curve")

    def arc(self, fill: Colour, width: float, x: float, y: float, r: float, start: float, end: float) -> None:
        box = self._at([(x - r, y - r), (x + r, y + r)])
        self.draw.arc(box, start, end, fill=fill, width=round(width * self.edge))


def subject(draw: Callable[[Pen], None]) -> Callable[[Pen], None]:
    SUBJECTS[draw.__name__] = draw
    return draw


def face(pen: Pen, *, skin: Colour, hair: Colour, cloth: Colour, back: Colour, wide: float = 0.19) -> None:
    pen.fade(back, "#e9e4da")
    pen.oval(cloth, 0.5, 1.06, 0.4, 0.3)
    pen.box(skin, 0.43, 0.62, 0.57, 0.84, 0.04)
    pen.oval(skin, 0.5, 0.47, wide, 0.25)
    for side in (-1, 1):
        pen.oval(skin, 0.5 + side * wide, 0.48, 0.03, 0.055)
        pen.oval("white", 0.5 + side * 0.075, 0.45, 0.042, 0.026)
        pen.oval("#3b2a20", 0.5 + side * 0.075, 0.45, 0.019, 0.022)
        pen.line(hair, 0.012, (0.5 + side * 0.03, 0.398), (0.5 + side * 0.08, 0.385), (0.5 + side * 0.125, 0.405))
    pen.line("#a8745a", 0.01, (0.5, 0.45), (0.475, 0.54), (0.51, 0.548))
    pen.oval("#b4524e", 0.5, 0.62, 0.06, 0.018)
    pen.line("#7d3330", 0.006, (0.44, 0.62), (0.56, 0.62))


@subject
def face_long_hair(pen: Pen) -> None:
    pen.fade("#8fb3c9", "#e9e4da")
    face(pen, skin="#efc6a4", hair="#5b3420", cloth="#5f7f4d", back="#8fb3c9")
    for side in (-1, 1):
        x = 0.5 + side * 0.2
        pen.shape(
            "#5b3420",
            (0.5, 0.19),
            (x, 0.27),
            (x + side * 0.06, 0.6),
            (x + side * 0.09, 0.9),
            (x - side * 0.05, 0.9),
            (x - side * 0.015, 0.55),
            (x - side * 0.05, 0.36),
            (0.5, 0.3),
        )


@subject
def face_beard(pen: Pen) -> None:
    face(pen, skin="#d9a27a", hair="#3a3a3a", cloth="#2d3b58", back="#c9b79c", wide=0.2)
    pen.shape(
        "#3a3a3a",
        (0.3, 0.52),
        (0.36, 0.58),
        (0.42, 0.575),
        (0.5, 0.59),
        (0.58, 0.575),
        (0.64, 0.58),
        (0.7, 0.52),
        (0.66, 0.7),
        (0.58, 0.79),
        (0.5, 0.82),
        (0.42, 0.79),
        (0.34, 0.7),
    )
    pen.oval("#b4524e", 0.5, 0.625, 0.05, 0.014)
    pen.shape(
        "#3a3a3a",
        (0.29, 0.44),
        (0.3, 0.28),
        (0.4, 0.19),
        (0.6, 0.19),
        (0.7, 0.28),
        (0.71, 0.44),
        (0.66, 0.33),
        (0.34, 0.33),
    )


@subject
def face_glasses(pen: Pen) -> None:
    face(pen, skin="#a86f4c", hair="#221a16", cloth="#b23b4a", back="#d6d2ea")
    pen.oval("#221a16", 0.5, 0.26, 0.2, 0.11)
    pen.oval("#221a16", 0.5, 0.15, 0.08)
    for side in (-1, 1):
        pen.ring("#20242c", 0.5 + side * 0.078, 0.45, 0.065, 0.012)
    pen.line("#20242c", 0.012, (0.485, 0.45), (0.515, 0.45))


@subject
def face_hat(pen: Pen) -> None:
    face(pen, skin="#f0cfb4", hair="#b98a46", cloth="#4a7f8c", back="#f1dca7", wide=0.175)
    pen.oval("#9c6b3c", 0.5, 0.31, 0.36, 0.06)
    pen.box("#b5824d", 0.32, 0.1, 0.68, 0.3, 0.08)
    pen.box("#6d2f2a", 0.32, 0.24, 0.68, 0.3)


@subject
def face_child(pen: Pen) -> None:
    pen.fade("#bfe3d0", "#f5f1e4")
    pen.oval("#e0b03b", 0.5, 1.04, 0.3, 0.26)
    pen.oval("#f5cdae", 0.5, 0.52, 0.25, 0.26)
    pen.shape(
        "#8a4b22",
        (0.24, 0.5),
        (0.27, 0.33),
        (0.38, 0.24),
        (0.5, 0.21),
        (0.64, 0.24),
        (0.74, 0.35),
        (0.76, 0.5),
        (0.68, 0.38),
        (0.58, 0.41),
        (0.46, 0.34),
        (0.38, 0.42),
        (0.31, 0.39),
    )
    for side in (-1, 1):
        pen.oval("#2d4059", 0.5 + side * 0.1, 0.54, 0.028, 0.04)
        pen.oval("white", 0.51 + side * 0.1, 0.525, 0.009)
        pen.oval("#eb9c8c", 0.5 + side * 0.16, 0.63, 0.04, 0.026)
    pen.arc("#9c3f3a", 0.012, 0.5, 0.62, 0.08, 25, 155)


@subject
def cat(pen: Pen) -> None:
    pen.fade("#d9e3ea", "#c1a783")
    pen.oval("#d98a3d", 0.5, 0.76, 0.22, 0.26)
    pen.line("#d98a3d", 0.05, (0.66, 0.9), (0.82, 0.86), (0.86, 0.7), (0.8, 0.6))
    for side in (-1, 1):
        pen.shape("#d98a3d", (0.5 + side * 0.19, 0.36), (0.5 + side * 0.2, 0.12), (0.5 + side * 0.06, 0.25))
        pen.shape("#f0b9a0", (0.5 + side * 0.16, 0.3), (0.5 + side * 0.17, 0.19), (0.5 + side * 0.1, 0.25))
    pen.oval("#e09a4f", 0.5, 0.4, 0.2, 0.18)
    pen.oval("#f6e6d2", 0.5, 0.48, 0.09, 0.07)
    for side in (-1, 1):
        pen.oval("#5f8f3a", 0.5 + side * 0.085, 0.37, 0.035, 0.04)
        pen.oval("#161616", 0.5 + side * 0.085, 0.37, 0.012, 0.034)
        for y in (0.46, 0.49, 0.52):
            pen.line("#5a3a1c", 0.005, (0.5 + side * 0.07, 0.47), (0.5 + side * 0.27, y))
        pen.oval("#f6e6d2", 0.5 + side * 0.1, 0.98, 0.07, 0.05)
    pen.shape("#c2606a", (0.475, 0.44), (0.525, 0.44), (0.5, 0.47))


@subject
def bird(pen: Pen) -> None:
    pen.fade("#a9d4f0", "#eef6e2")
    pen.line("#6b4a2f", 0.04, (0, 0.82), (0.4, 0.75), (1, 0.8))
    for x, y in ((0.12, 0.74), (0.8, 0.72), (0.9, 0.84), (0.25, 0.86)):
        pen.oval("#5a9a48", x, y, 0.07, 0.035)
    pen.shape("#274b8f", (0.26, 0.62), (0.05, 0.78), (0.12, 0.82), (0.4, 0.68))
    pen.oval("#3767b8", 0.45, 0.56, 0.2, 0.17)
    pen.oval("#e8834a", 0.5, 0.62, 0.13, 0.11)
    pen.oval("#3767b8", 0.62, 0.37, 0.11)
    pen.shape("#274b8f", (0.5, 0.47), (0.28, 0.52), (0.18, 0.66), (0.42, 0.63))
    pen.shape("#e6b422", (0.72, 0.34), (0.85, 0.39), (0.72, 0.41))
    pen.oval("white", 0.65, 0.35, 0.025)
    pen.oval("#111111", 0.655, 0.35, 0.013)
    for x in (0.44, 0.52):
        pen.line("#a85f2c", 0.012, (x, 0.71), (x, 0.77))


@subject
def fish(pen: Pen) -> None:
    pen.fade("#5fb6c9", "#1f5f86")
    pen.shape("#e0632f", (0.72, 0.5), (0.94, 0.3), (0.9, 0.5), (0.94, 0.7))
    pen.shape("#e0632f", (0.36, 0.36), (0.5, 0.18), (0.62, 0.38))
    pen.oval("#f08a3c", 0.46, 0.5, 0.31, 0.19)
    for x in (0.36, 0.52):
        pen.box("#f7efe0", x, 0.34, x + 0.07, 0.66, 0.03)
    pen.shape("#e0632f", (0.42, 0.52), (0.58, 0.57), (0.44, 0.64))
    pen.oval("white", 0.25, 0.45, 0.035)
    pen.oval("#111111", 0.245, 0.45, 0.018)
    for x, y, r in ((0.1, 0.3, 0.03), (0.14, 0.18, 0.02), (0.07, 0.12, 0.025)):
        pen.ring("#d8f0f5", x, y, r, 0.007)
    for x in (0.12, 0.3, 0.68, 0.85):
        pen.line("#2f7d4b", 0.022, (x, 1), (x + 0.03, 0.9), (x - 0.02, 0.82), (x + 0.02, 0.74))


@subject
def teapot(pen: Pen) -> None:
    pen.fade("#f3e7d3", "#d9c3a0", 0, 0.7)
    pen.fade("#8a5a3a", "#6b4229", 0.7, 1)
    pen.arc("#3f7a8c", 0.045, 0.76, 0.5, 0.13, -90, 90)
    pen.shape("#3f7a8c", (0.32, 0.56), (0.1, 0.36), (0.15, 0.33), (0.38, 0.44))
    pen.oval("#4d91a6", 0.52, 0.54, 0.25, 0.2)
    pen.oval("#3f7a8c", 0.52, 0.36, 0.14, 0.035)
    pen.oval("#e7d08a", 0.52, 0.3, 0.03)
    pen.oval("#8fc3d2", 0.44, 0.47, 0.05, 0.07)
    pen.box("#f4f0e6", 0.72, 0.66, 0.9, 0.8, 0.03)
    pen.oval("#a86f3a", 0.81, 0.665, 0.085, 0.02)


@subject
def chair(pen: Pen) -> None:
    pen.fade("#cfd8c4", "#dfe5d8", 0, 0.72)
    pen.fade("#b98f64", "#a07a52", 0.72, 1)
    for x in (0.3, 0.66):
        pen.box("#6b3f22", x, 0.12, x + 0.045, 0.92)
    for y in (0.16, 0.27, 0.38):
        pen.box("#8a5530", 0.3, y, 0.7, y + 0.06)
    pen.shape("#a5683c", (0.28, 0.55), (0.72, 0.55), (0.8, 0.68), (0.2, 0.68))
    pen.shape("#7d4b2a", (0.2, 0.68), (0.8, 0.68), (0.8, 0.72), (0.2, 0.72))
    for x in (0.22, 0.74):
        pen.box("#6b3f22", x, 0.72, x + 0.045, 0.97)


@subject
def car(pen: Pen) -> None:
    pen.fade("#bcd9ee", "#eef3f3", 0, 0.62)
    pen.fade("#7c7f86", "#5b5e65", 0.62, 1)
    pen.shape("#b3262d", (0.22, 0.52), (0.34, 0.34), (0.62, 0.34), (0.76, 0.52))
    pen.shape("#cfe7f2", (0.28, 0.51), (0.36, 0.38), (0.47, 0.38), (0.47, 0.51))
    pen.shape("#cfe7f2", (0.5, 0.51), (0.5, 0.38), (0.61, 0.38), (0.7, 0.51))
    pen.box("#cf3038", 0.08, 0.5, 0.92, 0.68, 0.06)
    pen.line("#8d1b22", 0.006, (0.485, 0.52), (0.485, 0.67))
    pen.oval("#f6e27a", 0.89, 0.57, 0.025, 0.03)
    for x in (0.26, 0.74):
        pen.oval("#1f2024", x, 0.69, 0.1)
        pen.oval("#c3c6cc", x, 0.69, 0.05)
        pen.oval("#5b5e65", x, 0.69, 0.018)
    for x in (0.1, 0.42, 0.74):
        pen.box("#e8e2c8", x, 0.88, x + 0.18, 0.91)


@subject
def bicycle(pen: Pen) -> None:
    pen.fade("#f1ede2", "#dcd6c6")
    for x in (0.25, 0.75):
        pen.ring("#2b2b2f", x, 0.66, 0.19, 0.022)
        for turn in range(8):
            a = turn * math.pi / 8
            dx, dy = 0.175 * math.cos(a), 0.175 * math.sin(a)
            pen.line("#8b8b92", 0.004, (x - dx, 0.66 - dy), (x + dx, 0.66 + dy))
    frame = ((0.25, 0.66), (0.4, 0.38), (0.68, 0.38), (0.48, 0.66), (0.25, 0.66))
    pen.line("#1f8a70", 0.024, *frame)
    pen.line("#1f8a70", 0.024, (0.36, 0.3), (0.48, 0.66))
    pen.line("#1f8a70", 0.024, (0.75, 0.66), (0.66, 0.28))
    pen.line("#2b2b2f", 0.024, (0.66, 0.28), (0.76, 0.25), (0.79, 0.3))
    pen.oval("#5c3a24", 0.36, 0.29, 0.07, 0.022)
    pen.oval("#2b2b2f", 0.48, 0.66, 0.035)


@subject
def lamp(pen: Pen) -> None:
    pen.fade("#3d4663", "#59638a", 0, 0.75)
    pen.fade("#6b4a38", "#4f3629", 0.75, 1)
    pen.shape("#f5d98b", (0.36, 0.16), (0.62, 0.16), (0.74, 0.46), (0.24, 0.46))
    pen.shape("#fff0c4", (0.44, 0.16), (0.54, 0.16), (0.58, 0.46), (0.4, 0.46))
    pen.box("#b08a3e", 0.475, 0.46, 0.505, 0.74)
    pen.oval("#c9a14a", 0.49, 0.56, 0.05, 0.07)
    pen.oval("#b08a3e", 0.49, 0.76, 0.15, 0.04)
    pen.shape("#a23c3c", (0.7, 0.72), (0.92, 0.72), (0.92, 0.8), (0.7, 0.8))
    pen.shape("#e6dfcf", (0.72, 0.68), (0.9, 0.68), (0.9, 0.72), (0.72, 0.72))


@subject
def still_life(pen: Pen) -> None:
    pen.fade("#6e7f6a", "#a7b39c", 0, 0.68)
    pen.fade("#e6ddcd", "#cfc2aa", 0.68, 1)
    pen.shape(
        "#2f6b4a",
        (0.2, 0.8),
        (0.2, 0.42),
        (0.25, 0.34),
        (0.25, 0.14),
        (0.33, 0.14),
        (0.33, 0.34),
        (0.38, 0.42),
        (0.38, 0.8),
    )
    pen.box("#efe7cf", 0.21, 0.52, 0.37, 0.68)
    pen.box("#7a5a36", 0.25, 0.1, 0.33, 0.15)
    pen.oval("#c8352f", 0.55, 0.72, 0.11)
    pen.line("#5b3c22", 0.014, (0.55, 0.62), (0.57, 0.55))
    pen.oval("#4f8f3f", 0.61, 0.56, 0.05, 0.022)
    pen.oval("#e7c23a", 0.75, 0.75, 0.12, 0.1)
    pen.oval("#e3873a", 0.67, 0.84, 0.09)
    for x, y in ((0.44, 0.85), (0.5, 0.87), (0.47, 0.91), (0.53, 0.93), (0.42, 0.92)):
        pen.oval("#5f3f7f", x, y, 0.034)


@subject
def mountain_lake(pen: Pen) -> None:
    pen.fade("#7fb4e0", "#f3e3cf", 0, 0.6)
    pen.oval("#fdf3c7", 0.76, 0.2, 0.07)
    pen.shape("#6f7f99", (0, 0.6), (0.22, 0.24), (0.48, 0.6))
    pen.shape("#f7fafc", (0.22, 0.24), (0.15, 0.355), (0.2, 0.34), (0.23, 0.38), (0.27, 0.34), (0.3, 0.36))
    pen.shape("#56667f", (0.28, 0.6), (0.56, 0.15), (0.9, 0.6))
    pen.shape("#f7fafc", (0.56, 0.15), (0.47, 0.295), (0.53, 0.28), (0.57, 0.34), (0.62, 0.28), (0.655, 0.28))
    pen.shape("#7a8aa3", (0.65, 0.6), (0.88, 0.34), (1, 0.46), (1, 0.6))
    pen.fade("#4f8fb5", "#2f6285", 0.6, 1)
    for x in (0.04, 0.12, 0.88, 0.96):
        pen.shape("#28543b", (x - 0.06, 0.66), (x, 0.4), (x + 0.06, 0.66))
        pen.box("#4b3323", x - 0.01, 0.65, x + 0.01, 0.69)
    for y, x in ((0.7, 0.3), (0.78, 0.5), (0.86, 0.2), (0.92, 0.6)):
        pen.line("#a9d0e3", 0.006, (x, y), (x + 0.22, y))


@subject
def beach_palm(pen: Pen) -> None:
    pen.fade("#f7b267", "#f4e4ba", 0, 0.5)
    pen.oval("#f25c3c", 0.34, 0.44, 0.11)
    pen.fade("#3a8fa3", "#6fc2c4", 0.5, 0.7)
    pen.shape("#ead7a4", (0, 0.74), (0.4, 0.68), (1, 0.72), (1, 1), (0, 1))
    pen.line("#7a5433", 0.035, (0.72, 0.86), (0.7, 0.6), (0.75, 0.4), (0.82, 0.26))
    for angle in (200, 235, 270, 315, 350, 20, 160):
        a = math.radians(angle)
        tip = (0.82 + 0.24 * math.cos(a), 0.26 + 0.17 * math.sin(a) + 0.06)
        middle = (0.82 + 0.13 * math.cos(a), 0.2 + 0.12 * math.sin(a))
        pen.shape("#2f7d4b", (0.81, 0.25), middle, tip, (middle[0], middle[1] + 0.055))
    pen.shape("#f4f1e8", (0.16, 0.56), (0.16, 0.38), (0.26, 0.56))
    pen.shape("#8a3b2a", (0.1, 0.57), (0.28, 0.57), (0.25, 0.61), (0.13, 0.61))


@subject
def city_skyline(pen: Pen) -> None:
    pen.fade("#2c3560", "#e8896b", 0, 0.8)
    pen.oval("#f6edd0", 0.2, 0.18, 0.06)
    towers = (
        (0.0, 0.5, "#3a3f63"),
        (0.13, 0.3, "#4b5280"),
        (0.26, 0.55, "#343a5c"),
        (0.37, 0.2, "#59608f"),
        (0.5, 0.42, "#3d4369"),
        (0.62, 0.28, "#4f5686"),
        (0.75, 0.5, "#383e61"),
        (0.87, 0.36, "#474d78"),
    )
    for x, top, colour in towers:
        pen.box(colour, x, top, x + 0.115, 0.86)
        for row in range(int((0.8 - top) / 0.07)):
            for column in range(3):
                left = x + 0.018 + column * 0.031
                pen.box(
                    "#f3d37a" if (row + column) % 3 else "#28304f",
                    left,
                    top + 0.03 + row * 0.07,
                    left + 0.018,
                    top + 0.065 + row * 0.07,
                )
    pen.line("#59608f", 0.012, (0.427, 0.2), (0.427, 0.08))
    pen.fade("#1f2747", "#3a4a78", 0.86, 1)


@subject
def forest_path(pen: Pen) -> None:
    pen.fade("#dfeec9", "#8fb56a", 0, 0.6)
    pen.fade("#6f9a4b", "#4b7434", 0.55, 1)
    pen.shape("#cdb38a", (0.46, 0.56), (0.53, 0.56), (0.6, 0.72), (0.78, 1), (0.22, 1), (0.42, 0.72))
    for x, width, bottom, dark in (
        (0.36, 0.03, 0.6, "#6d5138"),
        (0.64, 0.03, 0.61, "#6d5138"),
        (0.22, 0.05, 0.7, "#5a412b"),
        (0.79, 0.055, 0.72, "#5a412b"),
        (0.05, 0.085, 0.88, "#493321"),
        (0.95, 0.085, 0.9, "#493321"),
    ):
        pen.box(dark, x - width / 2, 0.05, x + width / 2, bottom)
        pen.line("#2f5a2a", 0.008, (x, 0.3), (x + width, 0.22))
    for x, y, r in ((0.08, 0.1, 0.17), (0.3, 0.05, 0.14), (0.52, 0.02, 0.11), (0.72, 0.06, 0.14), (0.94, 0.1, 0.18)):
        for dx, dy in ((0, 0), (-0.07, 0.05), (0.07, 0.05)):
            pen.oval("#3f7a35" if dx else "#4f8f42", x + dx, y + dy, r * 0.62)
    for x, y in ((0.14, 0.94), (0.88, 0.96), (0.3, 0.8)):
        pen.shape("#7fb04d", (x - 0.03, y), (x - 0.015, y - 0.07), (x, y), (x + 0.015, y - 0.08), (x + 0.03, y))


@subject
def farmhouse(pen: Pen) -> None:
    pen.fade("#9fd0ef", "#eaf5ef", 0, 0.6)
    pen.oval("#7fae5f", 0.25, 0.8, 0.6, 0.3)
    pen.oval("#94bf6b", 0.9, 0.86, 0.55, 0.3)
    pen.box("#f0e4cb", 0.28, 0.42, 0.64, 0.7)
    pen.shape("#a8442f", (0.24, 0.43), (0.34, 0.22), (0.6, 0.22), (0.68, 0.43))
    pen.box("#7d3324", 0.53, 0.14, 0.58, 0.28)
    pen.box("#6b4226", 0.43, 0.53, 0.5, 0.7)
    for x in (0.32, 0.54):
        pen.box("#4f7f9c", x, 0.49, x + 0.07, 0.58)
        pen.line("#f7f3e6", 0.007, (x + 0.035, 0.49), (x + 0.035, 0.58))
    pen.box("#6b4a2f", 0.81, 0.46, 0.85, 0.72)
    for dx, dy in ((0, 0), (-0.08, 0.07), (0.08, 0.07)):
        pen.oval("#4a8c3f", 0.83 + dx, 0.34 + dy, 0.1)
    for x in range(6):
        pen.box("#efe6d4", 0.02 + x * 0.045, 0.74, 0.035 + x * 0.045, 0.86)
    pen.line("#efe6d4", 0.012, (0, 0.78), (0.27, 0.78))
    for x, y in ((0.14, 0.16), (0.72, 0.1)):
        for dx in (-0.06, 0, 0.06):
            pen.oval("white", x + dx, y, 0.055, 0.04)


@subject
def room_window(pen: Pen) -> None:
    pen.fade("#e5d3bd", "#d6bfa3", 0, 0.72)
    pen.fade("#9c6f47", "#7f5837", 0.72, 1)
    pen.box("#f4efe6", 0.3, 0.1, 0.7, 0.52)
    pen.box("#9fcdea", 0.33, 0.13, 0.67, 0.49)
    pen.shape("#6fa35a", (0.33, 0.49), (0.33, 0.42), (0.46, 0.34), (0.58, 0.41), (0.67, 0.37), (0.67, 0.49))
    pen.line("#f4efe6", 0.018, (0.5, 0.12), (0.5, 0.5))
    pen.line("#f4efe6", 0.018, (0.32, 0.31), (0.68, 0.31))
    for side in (-1, 1):
        x = 0.5 + side * 0.25
        pen.shape(
            "#a8485a",
            (x - 0.07, 0.06),
            (x + 0.07, 0.06),
            (x + 0.05 + side * 0.03, 0.58),
            (x - 0.05 + side * 0.03, 0.58),
        )
        pen.line("#7f3343", 0.006, (x, 0.06), (x + side * 0.03, 0.58))
    pen.shape("#7a4a2b", (0.24, 0.7), (0.76, 0.7), (0.84, 0.78), (0.16, 0.78))
    for x in (0.2, 0.77):
        pen.box("#5f3820", x, 0.78, x + 0.035, 0.98)
    pen.shape("#3f7f9c", (0.44, 0.7), (0.46, 0.6), (0.54, 0.6), (0.56, 0.7))
    for dx, colour in ((-0.05, "#e0563f"), (0.0, "#f0c13f"), (0.05, "#d94f7a")):
        pen.line("#3f7a35", 0.008, (0.5, 0.62), (0.5 + dx, 0.54))
        pen.oval(colour, 0.5 + dx, 0.53, 0.028)


@subject
def corridor(pen: Pen) -> None:
    pen.shape("#efe8dc", (0, 0), (1, 0), (0.62, 0.36), (0.38, 0.36))
    pen.shape("#c9b79c", (0, 0), (0.38, 0.36), (0.38, 0.62), (0, 1))
    pen.shape("#b7a488", (1, 0), (0.62, 0.36), (0.62, 0.62), (1, 1))
    pen.shape("#7f8fa3", (0, 1), (0.38, 0.62), (0.62, 0.62), (1, 1))
    pen.box("#dfe9ef", 0.38, 0.36, 0.62, 0.62)
    pen.box("#5b7f96", 0.44, 0.42, 0.56, 0.62)
    pen.oval("#e7c23a", 0.545, 0.53, 0.008)
    for t0, t1 in ((0.18, 0.42), (0.56, 0.76)):
        for side in (0, 1):
            x0, x1 = (0.38 * t if not side else 1 - 0.38 * t for t in (t0, t1))
            top = [0.36 * t + (1 - t) * 0.0 for t in (t0, t1)]
            low = [1 - 0.38 * t for t in (t0, t1)]
            head = [t + 0.3 * (b - t) for t, b in zip(top, low, strict=True)]
            pen.shape("#7a5236", (x0, head[0]), (x1, head[1]), (x1, low[1]), (x0, low[0]))
    for t in (0.25, 0.55, 0.8):
        pen.oval("#fff6d8", 0.5, 0.36 * t, 0.07 * (1.1 - t), 0.03 * (1.1 - t))
    pen.shape("#a33f3f", (0.3, 1), (0.465, 0.62), (0.535, 0.62), (0.7, 1))


@subject
def kitchen_shelf(pen: Pen) -> None:
    pen.fade("#d8e4df", "#c6d6d0")
    for y in (0.34, 0.66, 0.96):
        pen.box("#8a5f3c", 0.04, y, 0.96, y + 0.035)
    for x, colour in ((0.1, "#c94f3f"), (0.26, "#e0a83a"), (0.42, "#4f8f8a")):
        pen.box(colour, x, 0.18, x + 0.11, 0.34, 0.015)
        pen.box("#f1ece0", x + 0.02, 0.22, x + 0.09, 0.28)
        pen.box("#5b4632", x + 0.01, 0.15, x + 0.1, 0.185, 0.01)
    for n in range(4):
        pen.oval("#f4f1ea" if n % 2 else "#cfd9e2", 0.76, 0.33 - n * 0.03, 0.14, 0.022)
    pen.box("#6b7f99", 0.1, 0.48, 0.36, 0.66, 0.02)
    pen.line("#3b4658", 0.02, (0.06, 0.53), (0.1, 0.53))
    pen.line("#3b4658", 0.02, (0.36, 0.53), (0.4, 0.53))
    pen.box("#4d5f78", 0.09, 0.455, 0.37, 0.485, 0.01)
    pen.shape("#7f9c4f", (0.5, 0.66), (0.48, 0.56), (0.62, 0.56), (0.6, 0.66))
    for dx in (-0.07, -0.03, 0.02, 0.07):
        pen.line("#3f7a35", 0.016, (0.55, 0.56), (0.55 + dx, 0.44))
    pen.box("#efe7d8", 0.72, 0.46, 0.86, 0.66, 0.03)
    pen.arc("#efe7d8", 0.02, 0.87, 0.55, 0.045, -90, 90)
    for x, h, colour in (
        (0.1, 0.2, "#8f3b45"),
        (0.16, 0.23, "#3b5f8f"),
        (0.22, 0.18, "#5f8f4a"),
        (0.28, 0.22, "#c99a3f"),
    ):
        pen.box(colour, x, 0.96 - h, x + 0.05, 0.96)
    pen.oval("#d98a4f", 0.62, 0.9, 0.12, 0.06)
    pen.oval("#f0b87a", 0.62, 0.86, 0.12, 0.025)


@subject
def bedroom(pen: Pen) -> None:
    pen.fade("#b9c4dc", "#a7b3cf", 0, 0.66)
    pen.fade("#c9a578", "#b08c60", 0.66, 1)
    pen.box("#6b4630", 0.16, 0.32, 0.76, 0.62, 0.03)
    pen.box("#f3f0ea", 0.2, 0.44, 0.44, 0.58, 0.05)
    pen.box("#f3f0ea", 0.48, 0.44, 0.72, 0.58, 0.05)
    pen.shape("#4a6b9c", (0.16, 0.58), (0.76, 0.58), (0.84, 0.86), (0.08, 0.86))
    pen.shape("#dfe5f0", (0.16, 0.55), (0.76, 0.55), (0.78, 0.63), (0.14, 0.63))
    pen.box("#5b3a27", 0.08, 0.86, 0.84, 0.92)
    pen.box("#7a5236", 0.82, 0.56, 0.98, 0.8)
    pen.line("#5b3a27", 0.006, (0.82, 0.67), (0.98, 0.67))
    pen.shape("#f0d48a", (0.86, 0.36), (0.94, 0.36), (0.97, 0.47), (0.83, 0.47))
    pen.box("#8a6a3a", 0.892, 0.47, 0.908, 0.56)
    pen.box("#3f4a5f", 0.3, 0.08, 0.62, 0.26)
    pen.box("#e6c98f", 0.32, 0.1, 0.6, 0.24)
    pen.shape("#7f9c6b", (0.32, 0.24), (0.42, 0.15), (0.5, 0.21), (0.55, 0.17), (0.6, 0.24))


@subject
def circles(pen: Pen) -> None:
    pen.fade("#f2ead8", "#f2ead8")
    for colour, x, y, r in (
        ("#d0483a", 0.36, 0.4, 0.25),
        ("#2f6f8f", 0.64, 0.56, 0.22),
        ("#e8b93c", 0.7, 0.24, 0.12),
        ("#33323a", 0.24, 0.76, 0.1),
        ("#5f9a7a", 0.48, 0.82, 0.08),
    ):
        pen.oval(colour, x, y, r)
    pen.ring("#33323a", 0.5, 0.5, 0.42, 0.01)
    pen.line("#33323a", 0.012, (0.06, 0.94), (0.94, 0.1))
    pen.line("#d0483a", 0.02, (0.1, 0.14), (0.5, 0.06))


@subject
def shards(pen: Pen) -> None:
    rng = np.random.default_rng(4)
    n = 5
    grid = [
        [
            (
                x / n + (rng.uniform(-0.07, 0.07) if 0 < x < n else 0),
                y / n + (rng.uniform(-0.07, 0.07) if 0 < y < n else 0),
            )
            for x in range(n + 1)
        ]
        for y in range(n + 1)
    ]
    colours = ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ab17d", "#b56576", "#6d597a"]
    for y in range(n):
        for x in range(n):
            a, b, c, d = grid[y][x], grid[y][x + 1], grid[y + 1][x + 1], grid[y + 1][x]
            first, second = rng.choice(len(colours), 2, replace=False)
            pen.shape(colours[first], a, b, c)
            pen.shape(colours[second], a, c, d)


@subject
def waves(pen: Pen) -> None:
    colours = ["#fdf0d5", "#f4c095", "#e07a5f", "#8f5d72", "#3d405b", "#26547c", "#06a0b5", "#8fd3c8"]
    pen.fade(colours[0], colours[0])
    for n, colour in enumerate(colours[1:], 1):
        top = n / len(colours)
        crest = [(x / 40, top + 0.05 * math.sin(x / 40 * 2 * math.pi * (1 + n % 3) + n)) for x in range(41)]
        pen.shape(colour, *crest, (1, 1), (0, 1))


@subject
def spiral(pen: Pen) -> None:
    pen.fade("#1d2b4f", "#3f4f86")
    for arm, colour in ((0.0, "#f2c14e"), (2.1, "#f78154"), (4.2, "#5fad9f")):
        points = [
            (0.5 + 0.011 * t * math.cos(t * 0.33 + arm), 0.5 + 0.011 * t * math.sin(t * 0.33 + arm)) for t in range(42)
        ]
        pen.line(colour, 0.03, *points)
    pen.oval("#fdf6e3", 0.5, 0.5, 0.05)
    for n in range(12):
        a = n * math.pi / 6
        pen.oval("#fdf6e3", 0.5 + 0.45 * math.cos(a), 0.5 + 0.45 * math.sin(a), 0.018)


@subject
def tiles(pen: Pen) -> None:
    pen.fade("#f4efe4", "#f4efe4")
    for y in range(4):
        for x in range(4):
            cx, cy = (x + 0.5) / 4, (y + 0.5) / 4
            pen.shape("#2f5f9c", (cx, cy - 0.11), (cx + 0.11, cy), (cx, cy + 0.11), (cx - 0.11, cy))
            pen.oval("#f4efe4", cx, cy, 0.058)
            pen.oval("#d9a441", cx, cy, 0.032)
            for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
                pen.oval("#7fa8d1", cx + dx * 0.125, cy + dy * 0.125, 0.04)


@subject
def scales(pen: Pen) -> None:
    pen.fade("#1f5f5b", "#1f5f5b")
    colours = ["#2f8f83", "#6fbf9f", "#f2d492", "#e5989b"]
    for row in range(9):
        for column in range(-1, 7):
            x = column / 5 + (row % 2) / 10
            y = row / 8
            for n, r in enumerate((0.1, 0.072, 0.042)):
                pen.oval(colours[(row + column + n) % 4] if n != 1 else "#174a47", x, 1 - y, r)


@subject
def weave(pen: Pen) -> None:
    pen.fade("#3a2c22", "#3a2c22")
    for y in range(6):
        for x in range(6):
            left, top = x / 6, y / 6
            if (x + y) % 2:
                pen.box("#d9b46a", left - 0.02, top + 0.025, left + 0.187, top + 0.142, 0.01)
                pen.line("#a8853f", 0.006, (left, top + 0.083), (left + 0.167, top + 0.083))
            else:
                pen.box("#9c4a3a", left + 0.025, top - 0.02, left + 0.142, top + 0.187, 0.01)
                pen.line("#6f2f24", 0.006, (left + 0.083, top), (left + 0.083, top + 0.167))


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for number, (name, draw) in enumerate(SUBJECTS.items()):
        pen = Pen()
        draw(pen)
        smooth = pen.image.filter(ImageFilter.GaussianBlur(FINER / 2)).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        smooth.save(OUT / f"{number:02d}_{name}.webp", "WEBP", quality=82, method=6)
    print(f"{len(SUBJECTS)} subjects, {sum(f.stat().st_size for f in OUT.glob('*.webp')) // 1000} kB in {OUT}")


if __name__ == "__main__":
    main()
