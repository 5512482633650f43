"""What the small classifiers are to tell apart: every thing of the procedural world in every colour, drawn anew."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.zoo.subjects import SUBJECTS
from benchmarks.zoo.world import BACKGROUNDS, COLOURS, Scene, render

CONCEPTS = tuple(f"{colour} {subject}" for subject in SUBJECTS for colour in COLOURS)
SEEN, HELD_OUT = 48, 16  # pictures of a concept to train by; to be judged and asked by

Pictures = NDArray[np.uint8]  # (concepts, n, 64, 64, 3)


def picture_of(concept: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    colour, _, subject = concept.partition(" ")
    scene = Scene(
        subject=subject,
        colour=colour,
        background=str(rng.choice(list(BACKGROUNDS))),
        count=int(rng.choice([1, 2, 3], p=[0.8, 0.12, 0.08])),
        seed=int(rng.integers(2**31)),
    )
    return render(scene)


def world_pictures(count: int, seed: int) -> NDArray[np.uint8]:
    """(count, 64, 64, 3): pictures of concepts drawn by lot, for probes."""
    rng = np.random.default_rng(seed)
    return np.stack([picture_of(CONCEPTS[rng.integers(len(CONCEPTS))], rng) for _ in range(count)])


class Pool:
    """The concepts' pictures, drawn once and kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def seen(self) -> Pictures:
        return self._drawn("seen", SEEN, seed=1)

    @cached_property
    def held_out(self) -> Pictures:
        return self._drawn("held_out", HELD_OUT, seed=2)

    def _drawn(self, name: str, count: int, seed: int) -> Pictures:
        file = self._folder / f"{name}.npy"
        if not file.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(seed)
            drawn = np.stack([[picture_of(concept, rng) for _ in range(count)] for concept in CONCEPTS])
            part = file.with_suffix(".part.npy")
            np.save(part, drawn)
            part.replace(file)
        return np.load(file, mmap_mode="r")
