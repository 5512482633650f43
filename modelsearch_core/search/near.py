"""Of very many models those that columns have nearest to a query, before any is judged (docs/scale.md).

Texts and models are compared by columns alone: to be among the best by the sum, a model must be near by one of them.
Each evidence and kind proposes its own, as scores of different ones are no measure of each other; so does what the
authors wrote. Pictures and sketches are compared with densities, of which a mean tells too little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import nearest
from ..embedding import unit
from ..specification import Requirement
from ..statistics import Statistics
from .measuring import WORDS
from .yardstick import Models

MOST = 4096  # models that each column proposes
LEAST = MOST // 4  # of each evidence and kind

Column = tuple[str, NDArray[np.floating]]  # a column and what is multiplied with it (D,)


def near(statistics: Statistics, requirement: Requirement, methods: Sequence[str], models: Models, k: int) -> Models:
    """Of these models, in their own order; all where there are few, or one of the methods judges by more than a
    column."""
    if len(models) <= nearest.MANY or requirement.weight <= 0:
        return models
    columns = [_column(statistics, requirement, method) for method in methods]
    if any(column is None for column in columns):
        return models
    found = [
        statistics.nearby(name).best(h, max(most, 2 * k), among)
        for among, most in _groups(statistics, models)
        for name, h in filter(None, columns)
    ]
    return np.unique(np.concatenate(found))


def _groups(statistics: Statistics, models: Models) -> Iterator[tuple[nearest.Mask, int]]:
    groups = statistics.collection.groups
    for group in np.unique(groups[models]):
        among = np.zeros(len(groups), bool)
        among[models] = groups[models] == group
        yield among, max(LEAST, int(MOST * among.sum() / len(models)))


def _column(statistics: Statistics, requirement: Requirement, method: str) -> Column | None:
    """By which column a method judges; None for one that judges otherwise."""
    h = np.asarray(requirement.h, np.float32).mean(axis=0)
    if method == WORDS:
        return WORDS, h
    if method == "first_moment" and requirement.views == 1:
        return "means", h
    if method == "paired_difference":
        if requirement.model is not None:
            return "directions", statistics.unit_directions[requirement.model]
        if requirement.difference is not None:
            return "directions", unit(requirement.difference)
    return None
