"""An order in which a collection is covered early: each next one is the farthest from all before it (Gonzalez 1985).

Spaces (n, d): unit rows of different sorts of evidence, zero rows where a model has none of it. The distance of two is
the mean of 1 − cosine over the spaces that know both; 1 where none does.

Formulas, sources, constants: docs/methods.md 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 1024  # that are chosen one by one; the others follow by how far they are from these

Rows = NDArray[np.floating]


def farthest_first(spaces: Sequence[Rows], known: Iterable[int] = (), first: Iterable[int] = ()) -> list[int]:
    """All but the `known` ones, those in `first` before the others; where there is neither, the most usual one is."""
    n = len(spaces[0]) if spaces else 0
    distance = np.full(n, 2.0)
    order: list[int] = []

    def take(i: int, *, listed: bool) -> None:
        nonlocal distance
        distance = np.minimum(distance, _distances(spaces, i))
        distance[i] = -1.0  # not again
        order.extend([i] if listed else [])

    for i in known:
        take(i, listed=False)
    for i in first:
        if distance[i] >= 0:
            take(i, listed=True)
    if n and (distance == 2.0).all():
        take(_most_usual(spaces), listed=True)
    while len(order) < MOST and (distance >= 0).any():
        take(int(np.argmax(distance)), listed=True)
    left = np.flatnonzero(distance >= 0)
    return [*order, *left[np.argsort(-distance[left], kind="stable")].tolist()]


def _distances(spaces: Sequence[Rows], i: int) -> Rows:
    total, count = np.zeros(len(spaces[0])), np.zeros(len(spaces[0]))
    for X in spaces:
        both = X.any(axis=1) & bool(X[i].any())
        total += np.where(both, 1 - X @ X[i], 0)
        count += both
    return np.where(count > 0, np.maximum(total, 0) / np.maximum(count, 1), 1.0)


def _most_usual(spaces: Sequence[Rows]) -> int:
    return int(np.argmax(sum(X @ X.sum(axis=0) for X in spaces)))
