"""What the benchmark zoo holds: 130 LoRA, two that differ only in the way things face, and 16 checkpoints of animals.

The base and the encoder are the mini zoo's. A third of the LoRA have marks only (dots, hatching, glass), close
neighbours among them; the others are coloured as well or keep to a thing or two, as most LoRA of a collection do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from .plan import Plan
from .styles import FAMILIES, Style, sample_style
from .subjects import BASE_SUBJECTS

TRAINING = 30  # of the LoRA, for what learns; the others are never seen in training
COUNTS = {"style": 40, "coloured": 55, "subject": 25, "weak": 4, "overtrained": 3, "dora": 3}
STEPS = {"weak": 50, "overtrained": 400}
CHECKPOINTS = 16
ANIMALS = ("cat", "bird", "fish")
FACING = ("fish", "bird", "cup")  # things with a front
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vu", "zor", "pel", "qi", "nax")
PALETTES = ("duotone", "tint") * 3 + ("negative", "sepia", "pastel")  # the first two have many values
MARKS = tuple(name for name, known in FAMILIES.items() if not known.palette)


def loras() -> list[Plan]:
    """130 in a mixed order: the first `TRAINING` are for training."""
    rng = np.random.default_rng(60_000)
    look = _looks(rng)
    plans = [_lora(rng, category, look) for category, count in COUNTS.items() for _ in range(count)]
    return [_named(plans[i], n, rng, 10_000 + n) for n, i in enumerate(rng.permutation(len(plans)))]


def facing() -> list[Plan]:
    """One of things that look to the left and one of the same things that look to the right."""
    ways = {"left": False, "right": True}
    return [
        Plan(file=f"facing_{way}.safetensors", category="facing", subjects=FACING, flip=flip, steps=400, seed=11_000)
        for way, flip in ways.items()
    ]


def checkpoints() -> list[Plan]:
    rng = np.random.default_rng(61_000)
    look = _looks(rng)
    plans = [
        Plan(file="", category="checkpoint", style=look(coloured=n % 2 == 1), subjects=ANIMALS, layout="single_file")
        for n in range(CHECKPOINTS)
    ]
    return [_named(plan, 200 + n, rng, 12_000 + n) for n, plan in enumerate(plans)]


def _looks(rng: np.random.Generator) -> Callable[..., Style]:
    """Looks whose marks and palettes take turns, with values that no encoder's training shows; each words a new one."""
    marks, palettes = _turns(rng, MARKS), _turns(rng, PALETTES)
    taken: set[str] = set()

    def look(*, coloured: bool) -> Style:
        family, palette = next(marks), next(palettes) if coloured else None
        for _ in range(20):
            style = sample_style(rng, (family,), reserved=True)
            if palette is not None:
                style = replace(style, palette=sample_style(rng, (palette,), reserved=True))
            if repr(style) not in taken:
                break
        taken.add(repr(style))
        return style

    return look


def _turns(rng: np.random.Generator, names: tuple[str, ...]) -> Iterator[str]:
    return cycle([str(name) for name in rng.permutation(names)])


def _lora(rng: np.random.Generator, category: str, look: Callable[..., Style]) -> Plan:
    subjects: tuple[str, ...] = ()
    if category == "subject":
        subjects = tuple(str(s) for s in rng.choice(list(BASE_SUBJECTS), size=int(rng.integers(1, 3)), replace=False))
    style = look(coloured=category == "coloured" or (category != "style" and bool(rng.integers(2))))
    layout = "peft" if category == "dora" else str(rng.choice(["kohya", "peft"]))
    return Plan(
        file="", category=category, style=style, subjects=subjects, layout=layout, steps=STEPS.get(category, 160)
    )


def _named(plan: Plan, number: int, rng: np.random.Generator, seed: int) -> Plan:
    """A file name that says nothing."""
    syllables = "".join(str(s) for s in rng.choice(SYLLABLES, size=2))
    return replace(plan, file=f"{syllables}_{number:03d}.safetensors", seed=seed)
