"""What the benchmark zoo holds: 130 LoRA, two pairs that differ only in the way things face, and 16 checkpoints of animals.

The base is the procedural zoo's. Half of the LoRA have a look alone (dots, hatching, glass, most of them coloured as well), with
close neighbours among them; the others paint one thing in a look of its own, as most LoRA of a collection do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from .plan import Plan
from .styles import FAMILIES, Style, sample_style
from .subjects import SUBJECTS

TRAINING = 30  # of the LoRA, for what learns; the others are never seen in training
COUNTS = {"style": 20, "coloured": 50, "subject": 50, "weak": 4, "overtrained": 3, "dora": 3}
STEPS = {"weak": 50, "overtrained": 400}
STRENGTH = 1.4  # what all but the weak are saved at: the base is small and slow to leave its own colours
COLOURED = {"style": 0.0, "coloured": 1.0, "subject": 0.7}  # share that has a palette; of the others half
CHECKPOINTS = 16
ANIMALS = ("cat", "bird", "fish")
FACING = {"birds": ("bird",), "facing": ("fish", "bird", "cup")}  # things with a front
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vu", "zor", "pel", "qi", "nax")
# Those with many values come up more often.
PALETTES = ("duotone",) * 5 + ("tint",) * 3 + ("negative", "sepia", "pastel")
CHECKPOINT_PALETTES = ("duotone", "tint") * 3 + ("negative", "sepia", "pastel")
Pair = tuple[Plan, Plan]
MARKS = tuple(name for name, known in FAMILIES.items() if not known.palette)


def loras() -> list[Plan]:
    """130 in a mixed order: the first `TRAINING` are for training."""
    rng = np.random.default_rng(60_000)
    look = _looks(rng, PALETTES)
    plans = [_lora(rng, category, look) for category, count in COUNTS.items() for _ in range(count)]
    return [_named(plans[i], n, rng, 10_000 + n) for n, i in enumerate(rng.permutation(len(plans)))]


def facing() -> list[Plan]:
    return [plan for pair in pairs().values() for plan in pair]


def pairs() -> dict[str, Pair]:
    """By name: one of things that look to the left, and one of the same things that look to the right."""
    return {
        name: (_facing(name, "left", subjects), _facing(name, "right", subjects)) for name, subjects in FACING.items()
    }


def _facing(name: str, way: str, subjects: tuple[str, ...]) -> Plan:
    flip = way == "right"
    return Plan(
        file=f"{name}_{way}.safetensors", category="facing", subjects=subjects, flip=flip, steps=400, seed=11_000
    )


def checkpoints() -> list[Plan]:
    rng = np.random.default_rng(61_000)
    look = _looks(rng, CHECKPOINT_PALETTES)
    plans = [
        Plan(file="", category="checkpoint", style=look(coloured=n % 2 == 1), subjects=ANIMALS, layout="single_file")
        for n in range(CHECKPOINTS)
    ]
    return [_named(plan, 200 + n, rng, 12_000 + n) for n, plan in enumerate(plans)]


def _looks(rng: np.random.Generator, of: tuple[str, ...]) -> Callable[..., Style]:
    """Looks whose marks and palettes take turns, with values that no encoder's training shows; each words a new one."""
    marks, palettes = _turns(rng, MARKS), _turns(rng, of)
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
    subjects = (str(rng.choice(list(SUBJECTS))),) if category == "subject" else ()
    return Plan(
        file="",
        category=category,
        style=look(coloured=rng.random() < COLOURED.get(category, 0.5)),
        subjects=subjects,
        layout="peft" if category == "dora" else str(rng.choice(["kohya", "peft"])),
        steps=STEPS.get(category, 160),
        rate=8e-3,
        emphasis=30.0,
        strength=1.0 if category == "weak" else STRENGTH,
        stubborn=0.9,
    )


def _named(plan: Plan, number: int, rng: np.random.Generator, seed: int) -> Plan:
    """A file name that says nothing."""
    syllables = "".join(str(s) for s in rng.choice(SYLLABLES, size=2))
    return replace(plan, file=f"{syllables}_{number:03d}.safetensors", seed=seed)
