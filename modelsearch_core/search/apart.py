"""What queries that stem from models' own pictures get from models: each is compared with those samples that answer
other prompts than its own did, so that it is as foreign to a model as a user's picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from .banks import Queries, fold_of
from .methods import METHODS, Judges


class Apart:
    """Of some models. What is left of them without a fold is worked out once for all methods at once; for later
    ones, too, where it is kept."""

    def __init__(self, collection: Collection, judges: Judges, *, keeps: bool) -> None:
        self._collection = collection
        self._judges = judges
        self._keeps = keeps
        self._parts: dict[int, Judges] = {}

    @property
    def models(self) -> NDArray[np.intp]:
        return self._judges.models

    def scores(self, pairs: Sequence[tuple[str, Queries]]) -> list[NDArray[np.floating]]:
        """(B, n) of each method and its queries."""
        found: list[NDArray[np.floating]] = [np.empty((len(queries), len(self.models))) for _, queries in pairs]
        folds = [_folds(method, queries) for method, queries in pairs]
        for fold in np.unique(np.concatenate([np.empty(0, np.intp), *folds])):
            judges = self._without(int(fold))
            for (method, queries), scores, of in zip(pairs, found, folds, strict=True):
                rows = np.flatnonzero(of == fold)
                if len(rows):
                    scores[rows] = judges(method, queries if len(rows) == len(queries) else queries.some(rows))
        return found

    def _without(self, fold: int) -> Judges:
        if fold < 0:
            return self._judges
        if fold in self._parts:
            return self._parts[fold]
        part = self._judges.keeping(self._outside(fold))
        if self._keeps:
            self._parts[fold] = part
        return part

    def _outside(self, fold: int) -> NDArray[np.bool_]:
        """(N,): which samples answer no prompt of a fold. A model that has no others of its own keeps them."""
        outside, samples = self._folds != fold, self._judges.samples
        none_left = np.add.reduceat(outside & (samples.numbers >= 0), samples.offsets[:-1]) == 0
        return outside | np.repeat(none_left, samples.counts)

    @cached_property
    def _folds(self) -> NDArray[np.intp]:
        """(N,), of the models' samples."""
        samples, collection = self._judges.samples, self._collection
        owners = self.models[samples.owners()]
        prompts = (collection.plain_prompt(int(m), int(n)) for m, n in zip(owners, samples.numbers, strict=True))
        return np.fromiter(map(fold_of, prompts), np.intp, len(owners))


def _folds(method: str, queries: Queries) -> NDArray[np.intp]:
    """(B,); none for what reads no samples."""
    if queries.folds is None or not METHODS[method].reads_rows:
        return np.full(len(queries), -1)
    return queries.folds
