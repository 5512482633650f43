"""Queries and who should answer them; how often they do, with intervals of 95 % by bootstrap over models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelsearch_core.evaluation import places, reciprocal_rank, within
from modelsearch_core.search import ModelIndex, Query

DRAWS = 2000
Rows = NDArray[np.intp]
Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Asked:
    """Queries, and the row of the model that each is about."""

    queries: list[Query]
    rows: Rows

    def figures(self, index: ModelIndex, methods: Sequence[str], among: Rows | None = None) -> dict[str, Figures]:
        """Of each method; `among` (m,): rows of the models that may answer."""
        found: dict[str, Figures] = {}
        for method in methods:
            scores = np.stack([index.scores(query, method) for query in self.queries])
            if among is None:
                found[method] = figures(scores, self.rows)
            else:
                found[method] = figures(scores[:, among], np.searchsorted(among, self.rows))
        return found


def figures(scores: NDArray[np.floating], owner: Rows) -> Figures:
    found = places(scores, owner)
    values = {"top1": within(*found, 1), "top5": within(*found, 5), "mrr": reciprocal_rank(*found)}
    return {name: interval(each, owner) for name, each in values.items()}


def interval(values: NDArray[np.floating], owner: Rows) -> dict[str, float]:
    """Mean of values (T,), and its interval when the models that own them are drawn again."""
    _, models = np.unique(owner, return_inverse=True)
    sums, counts = np.bincount(models, values), np.bincount(models)
    drawn = np.random.default_rng(0).integers(len(counts), size=(DRAWS, len(counts)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.025, 0.975])
    return {"value": round(float(values.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
