"""Means of models that were generated from and have pictures of their users besides: each counts by how exact it is
(docs/methods.md 12).

Users ask for other things than probes do. What that makes for all models alike is taken off; how far a single user's
taste leads away from that is measured on the models that have both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..embedding import Features
from ..scores import evidence

Counts = NDArray[np.intp]


def pooled(collection: Collection, means: Features) -> Features:
    """(M, D) means of all pictures, by `means` of the best evidence alone."""
    pictures = {m: entry.pictures for m, entry in enumerate(collection.entries) if entry.pictures is not None}
    if not pictures:
        return means
    both = np.array(list(pictures), np.intp)
    stored = collection.catalog.means(collection.encoder)
    own = np.asarray(means[both], float)
    of_users = np.array([stored[of.key] for of in pictures.values()], float)
    S = np.array([collection.entries[m].samples for m in both])
    n = np.array([of.samples for of in pictures.values()])
    found = np.array(means, np.float32)
    found[both] = _weighed(own, of_users, S, n)
    return found


def _weighed(own: Features, of_users: Features, S: Counts, n: Counts) -> Features:
    """(B, D) of means of S generated pictures and of n of a user's."""
    apart = of_users - own
    taste = evidence.pulled(max(_taste(own, apart, S, n), evidence.TASTE), len(own), evidence.TASTE)
    count = evidence.as_generated(n, taste)
    usual = evidence.pulled(1.0, len(own), 0.0) * apart.mean(axis=0)
    return own + (count / (S + count))[:, None] * (apart - usual)


def _taste(own: Features, apart: Features, S: Counts, n: Counts) -> float:
    several = S > 1
    if several.sum() < 2:
        return evidence.TASTE
    counts = S[several]
    variance = float(((1 - (own[several] ** 2).sum(axis=1)) * counts / (counts - 1)).mean())
    return evidence.taste_of(apart[several], counts, n[several], variance) if variance > 0 else evidence.TASTE
