"""Which models a question comes down to, before methods that read samples judge them.

All models are compared by what is stored of all: means, and densities in a few bytes each (`scores.coarse`). Of those
that pass the filters, those that are best so, for the whole query and for each thing that it asks for, are looked at
closely: as many as keep the first ten of 10,000 models what the full computation finds (docs/methods.md 14,
docs/results_speed.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..ranking import combine, first
from ..scores import calibration
from ..specification import Requirement
from .answering import Answering
from .auto import proposing
from .banks import Queries

MOST = 512  # models whose samples are read to answer a query; up to so many, all are
BY_MEANS = 4  # times as many where means alone choose
A_GROUP = 4  # part of them that each evidence and kind has at least

Models = NDArray[np.intp]


def candidates(
    answering: Answering, requirements: Sequence[Requirement], method: str, models: Models, k: int
) -> Models:
    """Of these models, in their own order; all where there are few, or a method reads no samples and they are not very
    many."""
    most = max(MOST, 8 * k)
    if not any(answering.reads_rows(r, method) for r in requirements):
        return answering.near(requirements[0], method, models, k) if len(requirements) == 1 else models
    if len(models) <= most:
        return models
    coarse = [answering.coarsely(requirement, method, models) for requirement in requirements]
    if any(each is None for each in coarse):
        most *= BY_MEANS
    if len(models) <= most:
        return models
    pairs = zip(requirements, coarse, strict=True)
    z = [_by_means(answering, r, models) if each is None else each for r, each in pairs]
    weights = [requirement.weight for requirement in requirements]
    together = combine(list(zip(z, weights, strict=True)))
    wanted = [each for each, weight in zip(z, weights, strict=True) if weight > 0]
    chosen = [first(together, most)]
    if len(wanted) > 1:
        chosen += [first(each, most // 2 // len(wanted)) for each in wanted]
    return models[np.unique(np.concatenate([*chosen, *_of_each_group(together, answering.groups(models), most)]))]


def _of_each_group(z: NDArray[np.floating], groups: NDArray[np.intp], most: int) -> Iterator[NDArray[np.intp]]:
    """The best of each evidence and kind: means may stand otherwise among groups than samples do."""
    for group in np.unique(groups):
        of = np.flatnonzero(groups == group)
        yield of[first(z[of], most // A_GROUP)]


def _by_means(answering: Answering, requirement: Requirement, models: Models) -> NDArray[np.floating]:
    """z (C,) by columns alone."""
    each = answering.each(Queries.of(requirement), proposing(requirement.modality), models)
    return calibration.of_views(each, requirement.views, each).mean(axis=0)
