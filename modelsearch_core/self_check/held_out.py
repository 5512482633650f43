"""A gallery without some of its samples: what is asked of it is in none of its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from ..search.gallery import Gallery
from ..specification import Specification

Folds = list[NDArray[np.intp]]  # of each model, the fold of each of its samples


class HeldOut(Gallery):
    """`whole` with those samples only that are `kept`, a mask (S,) for each model.

    Without what was learned of the collection: it may have been learned from the very samples that are held out.
    """

    def __init__(self, whole: Gallery, kept: Sequence[NDArray[np.bool_]]) -> None:
        self.encoder, self.dimension = whole.encoder, whole.dimension
        self.entries, self._catalog = whole.entries, whole._catalog
        self._whole, self._kept = whole, kept
        self.probe_sets, self.matching = whole.probe_sets, None

    @cached_property
    def means(self) -> Features:
        return unit(np.stack([np.asarray(s.Z, np.float32).mean(axis=0) for s in self._specifications]))

    def specification(self, m: int) -> Specification:
        return self._specifications[m]

    @cached_property
    def _specifications(self) -> list[Specification]:
        return [_part(s, kept) for s, kept in zip(self._whole._specifications, self._kept, strict=True)]


def _part(of: Specification, kept: NDArray[np.bool_]) -> Specification:
    if kept.all():
        return of
    drawings = None if of.drawings is None else of.drawings[kept]
    return replace(of, Z=of.Z[kept], numbers=of.numbers[kept], drawings=drawings)


def folds_of(gallery: Gallery, folds: int) -> Folds:
    """By prompt, so that no other sample of a held-out prompt is left; by sample where there are fewer prompts."""
    return [_folds_of_one(gallery, m, folds) for m in range(len(gallery))]


def _folds_of_one(gallery: Gallery, m: int, folds: int) -> NDArray[np.intp]:
    numbers = gallery.specification(m).numbers
    probe_set = gallery.probe_sets.get(gallery.entries[m].digest)
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
