"""LoRA compared by what they change, before a picture is made: Gram matrices of their sketches, family by family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..catalog.weight_sketches import VERSION, stacked
from ..collection import Collection
from ..ranking import near_pairs
from ..scores import kinship
from ..scores.kinship import Kinship

SAME_TRAINING = 0.6  # cosine from which on two LoRA are epochs, merges or copies of one; strangers stay below .4
AT_ONCE = 512  # LoRA that are compared with all others at once


class Near(NamedTuple):
    """Two LoRA that change alike; `b` changes no less than `a`, `ratio` times as much."""

    a: int
    b: int
    cosine: float
    kinship: Kinship
    ratio: float


class Merge(NamedTuple):
    """A LoRA that is alpha·a + beta·b, as far as `explained` says: a share of the squared length of what it changes."""

    merged: int
    a: int
    b: int
    alpha: float
    beta: float
    explained: float


class Weights:
    """Of the LoRA of a collection that have a sketch, family by family: what two families change cannot be compared."""

    def __init__(self, collection: Collection) -> None:
        sketches = collection.catalog.sketches.get([entry.fingerprint for entry in collection.entries], VERSION)
        of: dict[str, list[int]] = defaultdict(list)
        for m, entry in enumerate(collection.entries):
            if entry.fingerprint in sketches:
                of[entry.architecture].append(m)
        self._families: list[tuple[NDArray[np.intp], NDArray[np.floating]]] = []
        self._lengths = np.zeros(len(collection))
        for rows in of.values():
            X = stacked([sketches[collection.entries[m].fingerprint] for m in rows])
            length = np.linalg.norm(X, axis=1)
            self._lengths[rows] = length
            self._families.append((np.array(rows, np.intp), X / np.where(length > 0, length, 1)[:, None]))
        self._size = len(collection)

    @property
    def any(self) -> bool:
        return bool(self._families)

    def cosines(self, asking: NDArray[np.integer], models: NDArray[np.integer]) -> NDArray[np.floating]:
        """(T, C) of ΔW; NaN where either has no sketch, or they are of two families."""
        found = np.full((len(asking), self._size), np.nan)
        for rows, X in self._families:
            place = {int(m): i for i, m in enumerate(rows)}
            for t, m in enumerate(asking):
                if int(m) in place:
                    found[t, rows] = X @ X[place[int(m)]]
        return found[:, models]

    def near(self, threshold: float = SAME_TRAINING) -> list[Near]:
        """Pairs that are more alike than strangers are, most alike first; those of a merge only where both are one, as
        it is like all that its parts are like."""
        merged = {of.merged for of in self.merges()}
        found = [
            self._near(int(rows[i]), int(rows[j]), float(cosine))
            for rows, X in self._families
            for i, j, cosine in near_pairs(X, threshold)
        ]
        told = [pair for pair in found if pair.kinship is not Kinship.TRAINING or not {pair.a, pair.b} & merged]
        return sorted(told, key=lambda pair: -pair.cosine)

    def _near(self, a: int, b: int, cosine: float) -> Near:
        if self._lengths[a] > self._lengths[b]:
            a, b = b, a
        ratio = float(self._lengths[b] / self._lengths[a]) if self._lengths[a] else 1.0
        return Near(a, b, cosine, kinship.kinship(cosine, ratio), ratio)

    def merges(self) -> list[Merge]:
        """LoRA that are merges of two others, the best explained first."""
        found = [merge for rows, X in self._families for merge in self._merges(rows, X)]
        return sorted(found, key=lambda merge: -merge.explained)

    def _merges(self, rows: NDArray[np.intp], X: NDArray[np.floating]) -> Iterator[Merge]:
        for start in range(0, len(X), AT_ONCE):
            cosines = X[start : start + AT_ONCE] @ X.T
            for c, alike in enumerate(cosines, start):
                alike[c] = -1
                if alike.max() ** 2 < kinship.EXPLAINED / 4:  # two parts that far from it explain less
                    continue
                near = np.argsort(-alike, kind="stable")[: kinship.AMONG]
                some = np.array([c, *near[alike[near] > 0]])
                lengths = self._lengths[rows[some]]
                parts = kinship.parts_of((X[some] @ X[some].T) * np.outer(lengths, lengths), 0, SAME_TRAINING)
                if parts is not None:
                    a, b = (int(rows[some[part]]) for part in parts[:2])
                    yield Merge(int(rows[c]), a, b, *parts[2:])
