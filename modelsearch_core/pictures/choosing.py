"""Which of a model's pictures stand for it: at most 64, of different prompts and days.

Farthest-first (Gonzalez 1985) over the prompts' words and the dates, so that one long session doesn't count for all.
Words are hashed into a few numbers: ten thousand prompts take a moment, with no encoder.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 64
LOOKED_AT = 4096  # of a model with more pictures, as many, spread over their dates
WIDTH = 256  # numbers that words are hashed into
DATE = 0.35  # of the greatest distance that two prompts can have: the first and the last day
ALONE = 0.99  # share of a model in a picture from which on no other one counts
WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Use:
    """A picture that a model had a `share` in: of a LoRA, its strength by that of all."""

    path: str
    state: str
    modified: int
    prompt: str | None  # its words; None: not looked at yet
    seed: str = ""
    share: float = 1.0


def chosen(uses: Sequence[Use], most: int = MOST) -> list[Use]:
    """At most so many, those that only this model made first; the same ones for the same pictures in any order."""
    ordered = _distinct(sorted(uses, key=lambda use: (use.modified, use.path)))
    alone = [use for use in ordered if use.share >= ALONE]
    found = _spread(alone, most)
    if len(found) < most:
        shared = sorted((use for use in ordered if use.share < ALONE), key=lambda use: -use.share)
        best = [use for use in shared if use.share >= shared[0].share / 2]
        found += _spread(best, most - len(found))
    return found


def _distinct(uses: Sequence[Use]) -> list[Use]:
    """Of pictures with the same prompt and seed, which are steps to one or larger ones of it, the last."""
    by_origin = {(use.prompt, use.seed) if use.seed else (use.path,): use for use in uses}
    return list(by_origin.values())


def _spread(uses: Sequence[Use], most: int) -> list[Use]:
    """Farthest-first, beginning with the newest."""
    if len(uses) <= most:
        return list(uses)
    uses = [uses[i] for i in np.unique(np.linspace(0, len(uses) - 1, LOOKED_AT).round().astype(int))]
    X = _places(uses)
    found = [len(uses) - 1]
    distance = _distances(X, found[0])
    while len(found) < most:
        distance[found[-1]] = -1  # not again, though others be at the same place
        found.append(int(np.argmax(distance)))
        distance = np.minimum(distance, _distances(X, found[-1]))
    return [uses[i] for i in sorted(found)]


def _places(uses: Sequence[Use]) -> NDArray[np.float32]:
    """(n, WIDTH + 1): words as unit rows, and the date from 0 to 1, weighed."""
    X = np.zeros((len(uses), WIDTH + 1), np.float32)
    known: dict[str, NDArray[np.float32]] = {}
    for row, use in zip(X, uses, strict=True):
        prompt = use.prompt or ""
        if prompt not in known:
            known[prompt] = _of_words(prompt)
        row[:WIDTH] = known[prompt]
    times = np.array([use.modified for use in uses], float)
    X[:, WIDTH] = DATE * 2**0.5 * (times - times.min()) / max(np.ptp(times), 1)
    return X


def _of_words(prompt: str) -> NDArray[np.float32]:
    row = np.zeros(WIDTH, np.float32)
    for word in {word.casefold() for word in WORD.findall(prompt)}:
        hashed = zlib.crc32(word.encode())
        row[hashed % WIDTH] += 1 - 2 * (hashed >> 16 & 1)
    return row / (float(np.linalg.norm(row)) or 1)


def _distances(X: NDArray[np.float32], i: int) -> NDArray[np.float32]:
    return np.sqrt(((X - X[i]) ** 2).sum(axis=1))
