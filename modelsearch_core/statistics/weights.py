"""LoRA compared by what they change, before a picture is made: Gram matrices of their sketches, family by family."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from ..catalog.weight_sketches import VERSION, vectors
from ..collection import Collection
from ..ranking import near_pairs

SAME_TRAINING = 0.6  # cosine from which on two LoRA are epochs, merges or copies of one; strangers stay below .4


class Weights:
    """Of the LoRA of a collection that have a sketch, family by family: what two families change cannot be compared."""

    def __init__(self, collection: Collection) -> None:
        sketches = collection.catalog.sketches.get([entry.fingerprint for entry in collection.entries], VERSION)
        of: dict[str, list[int]] = defaultdict(list)
        for m, entry in enumerate(collection.entries):
            if entry.fingerprint in sketches:
                of[entry.architecture].append(m)
        self._families = [
            (np.array(rows, np.intp), vectors([sketches[collection.entries[m].fingerprint] for m in rows]))
            for rows in of.values()
        ]
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

    def near(self, threshold: float = SAME_TRAINING) -> list[tuple[int, int, float]]:
        """(a, b, cosine of ΔW) of pairs that are more alike than strangers are, most alike first."""
        found = [
            (int(rows[a]), int(rows[b]), float(cosine))
            for rows, X in self._families
            for a, b, cosine in near_pairs(X, threshold)
        ]
        return sorted(found, key=lambda pair: -pair[2])
