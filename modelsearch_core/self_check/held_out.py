"""Which samples are held out of a collection: what is asked of the rest is in none of its statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..specification import Specification

AT_ONCE = 512  # models whose rows are held at once

Folds = list[NDArray[np.intp]]  # of each model, the fold of each of its samples


def folds_of(collection: Collection, folds: int) -> Folds:
    """By prompt, so that no other sample of a held-out prompt is left; by sample where there are fewer prompts."""
    found: Folds = []
    for start in range(0, len(collection), AT_ONCE):
        models = collection.all[start : start + AT_ONCE]
        rows = collection.specifications(models)
        found += [_folds_of_one(collection, int(m), of, folds) for m, of in zip(models, rows, strict=True)]
    return found


def _folds_of_one(collection: Collection, m: int, of: Specification, folds: int) -> NDArray[np.intp]:
    numbers = of.numbers
    probe_set = collection.probe_set(m)
    if probe_set is None:
        return np.asarray(numbers, np.intp) % folds
    first: dict[str, int] = {}
    prompts = [probe.prompt for probe in probe_set.probes]
    for prompt in prompts:
        first.setdefault(prompt, len(first))
    if len(first) < folds:
        return np.asarray(numbers, np.intp) % folds
    return np.array([first[prompts[number]] % folds for number in numbers], np.intp)


def kept_outside(of: Folds, fold: int) -> list[NDArray[np.bool_]]:
    """Masks of the samples that are not in a fold; all of a model that would have none left."""
    masks = [folds != fold for folds in of]
    return [mask if mask.any() else np.ones_like(mask) for mask in masks]


def halved(masks: Sequence[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Every second of the samples that are kept, one at least."""
    return [mask & (np.cumsum(mask) % 2 == 1) for mask in masks]
