"""Parameterised picture styles. A `Style` is a family's name and its values; lengths are in pixels of the 64x64 picture.

Every family says how its values are drawn, how a person would describe them, and how it changes a picture
(float RGB in 0..1, `SCALE` times finer than the result, so that small marks come out smooth).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE, SCALE = 64, 3
Array = NDArray[np.floating[Any]]
Value = float | str
Filter = Callable[..., Array]  # (image, rng, **values) -> image


@dataclass(frozen=True)
class Range:
    low: float
    high: float

    def sample(self, rng: np.random.Generator) -> float:
        return round(float(rng.uniform(self.low, self.high)), 2)

    def slice(self, value: Value) -> int:
        return int(9 * (float(value) - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class Choice:
    options: tuple[str, ...]

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.choice(self.options))

    def slice(self, value: Value) -> int:
        return self.options.index(str(value))


@dataclass(frozen=True, kw_only=True)
class Family:
    name: str
    paint: Filter
    words: Callable[..., tuple[str, ...]]  # values -> phrases, the first one is the usual
    values: Mapping[str, Range | Choice]
    palette: bool = False  # changes colours, not marks


@dataclass(frozen=True)
class Style:
    family: str
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    palette: Style | None = None  # that the marks are coloured in afterwards

    @property
    def reserved(self) -> bool:
        """Whether only models may have these values, so that no encoder's training ever shows them.

        Every third slice of a family's first length or angle is reserved; without one, every third pair of choices.
        A family with nothing but one choice has no values to hold out.
        """
        values = FAMILIES[self.family].values
        ranges = [n for n, r in values.items() if isinstance(r, Range)][:1]
        slices = [values[n].slice(self.values[n]) for n in ranges or values]
        return len(values) > 0 and (sum(slices) % 3 == 1 if ranges or len(slices) > 1 else False)


FAMILIES: dict[str, Family] = {}


def family(
    *, words: Callable[..., tuple[str, ...]], palette: bool = False, **values: Range | Choice
) -> Callable[[Filter], Filter]:
    def register(paint: Filter) -> Filter:
        name = paint.__name__
        FAMILIES[name] = Family(name=name, paint=paint, words=words, values=values, palette=palette)
        return paint

    return register


def apply(style: Style, image: Array, rng: np.random.Generator) -> Array:
    painted = FAMILIES[style.family].paint(image, rng, **style.values)
    return painted if style.palette is None else apply(style.palette, np.clip(painted, 0, 1), rng)


def describe(style: Style, rng: np.random.Generator | None = None) -> str:
    phrases = FAMILIES[style.family].words(**style.values)
    words = phrases[0] if rng is None else str(rng.choice(phrases))
    return words if style.palette is None else f"{words}, {describe(style.palette, rng)}"


def measured(style: Style) -> str:
    """Its lengths, angles and strengths as numbers, for an encoder that is to tell near ones apart."""
    values = FAMILIES[style.family].values
    numbers = [
        f"{name} {float(style.values[name]):.{0 if r.high - r.low >= 4 else 1}f}"
        for name, r in values.items()
        if isinstance(r, Range)
    ]
    return ", ".join(numbers)


def sample_style(rng: np.random.Generator, families: tuple[str, ...] | None = None, reserved: bool = False) -> Style:
    """A style with values drawn from its family's ranges: those of training sets, or those reserved for models."""
    name = str(rng.choice(families or tuple(FAMILIES)))
    values = FAMILIES[name].values
    can_reserve = len(values) > 1 or any(isinstance(r, Range) for r in values.values())
    while True:
        style = Style(name, {n: r.sample(rng) for n, r in values.items()})
        if style.reserved == (reserved and can_reserve):
            return style


from . import style_marks, style_palettes, style_warps  # noqa: F401  # each registers its families
