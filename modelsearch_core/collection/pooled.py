"""All pictures of models: their samples and, behind each one's, those that its user has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..scores import gaussian
from ..scores.samples import offsets_of
from ..specification import Factors
from .samples import Samples

KEPT = 4096  # densities


class Pooling:
    """Of one collection; the densities of all pictures of a model are kept for the next query."""

    def __init__(self) -> None:
        self._known: dict[int, Factors] = {}

    def __call__(
        self, own: Samples, more: Samples, models: Sequence[int] | NDArray[np.integer], *, keep: bool
    ) -> Samples:
        """Of these models (n,). `keep`: `own` are all samples that there are of them."""
        both = joined(own, more)
        return replace(both, densities=self._densities(both, models)) if keep else both

    def _densities(self, both: Samples, models: Sequence[int] | NDArray[np.integer]) -> tuple[Factors | None, ...]:
        found, known = list(both.densities), self._known
        if len(known) > KEPT:
            self._known = {}
        for place, m in enumerate(models):
            if found[place] is None:
                found[place] = known[int(m)] = known.get(int(m)) or Factors(*gaussian.factors(both.of(place)))
        return tuple(found)


def joined(own: Samples, more: Samples) -> Samples:
    """Each model's rows and, behind them, `more` of it, numbered −1, −2, …; of such a model no density is known."""
    offsets = offsets_of(own.counts + more.counts)
    first = np.arange(len(own.Z)) + np.repeat(offsets[:-1] - own.offsets[:-1], own.counts)
    behind = np.arange(len(more.Z)) + np.repeat(offsets[:-1] + own.counts - more.offsets[:-1], more.counts)
    Z = np.empty((int(offsets[-1]), own.Z.shape[1]), np.float32)
    numbers = np.empty(len(Z), np.int32)
    Z[first], Z[behind] = own.Z, more.Z
    numbers[first], numbers[behind] = own.numbers, -1 - more.numbers
    known = own.densities or (None,) * len(own)
    return Samples(Z, offsets, numbers, tuple(None if n else of for of, n in zip(known, more.counts, strict=True)))
