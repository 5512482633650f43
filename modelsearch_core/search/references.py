"""What a model's samples are compared with, to see what the model itself adds (METHODS, section 5).

A LoRA's samples with its base's pictures for the same probes; every other model's with the collection's mean for the
same probe, where enough of the collection was asked the same, else with the collection's mean.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from ..scores import differences
from ..specification import Specification

if TYPE_CHECKING:
    from .gallery import Entry, Gallery

ENOUGH = 3  # models whose mean stands for a collection


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What stands for `models` without their own part: Z (P, D) for prompts (P, D)."""

    models: NDArray[np.intp]
    Z: Features
    prompts: Features


@dataclass(frozen=True, kw_only=True)
class References:
    """Z (N, D): the reference of each sample of the gallery; the same by group, for queries."""

    Z: Features
    groups: list[Reference]


def references(gallery: Gallery) -> References:
    """For all samples of a gallery."""
    rows = np.empty_like(gallery.samples.Z)
    groups: list[Reference] = []
    for models in _alike(gallery):
        samples = _rows_of(gallery, models)
        numbers = gallery.samples.numbers[samples]
        found = gallery.base_specification(gallery.entries[models[0]])
        rows[samples] = _of_collection(gallery, samples, models) if found is None else _of_base(found, numbers)
        groups.append(_group(gallery, models, samples, rows))
    return References(Z=rows, groups=groups)


def _alike(gallery: Gallery) -> list[NDArray[np.intp]]:
    """Models that are compared with the same."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for m, entry in enumerate(gallery.entries):
        found[_key(gallery, entry)].append(m)
    return [np.array(models) for models in found.values()]


def _key(gallery: Gallery, entry: Entry) -> tuple[str, ...]:
    probe_set = gallery.probe_sets.get(entry.digest)
    if probe_set is None:
        return entry.evidence.value, ""
    if probe_set.base is None or gallery.base_specification(entry) is None:
        return "alone", probe_set.recipe_digest
    return "base", probe_set.base, probe_set.for_base().digest


def _rows_of(gallery: Gallery, models: NDArray[np.intp]) -> NDArray[np.intp]:
    offsets = gallery.samples.offsets
    return np.concatenate([np.arange(int(offsets[m]), int(offsets[m + 1])) for m in models])


def _of_base(base: Specification, numbers: NDArray[np.int32]) -> Features:
    place = {int(number): row for row, number in enumerate(base.numbers)}
    Z = np.asarray(base.Z, np.float32)
    known = [place.get(int(number), len(Z)) for number in numbers]
    return np.vstack([Z, unit(Z.mean(axis=0))])[known]  # a probe that the base was not asked: its mean


def _of_collection(gallery: Gallery, samples: NDArray[np.intp], models: NDArray[np.intp]) -> Features:
    Z, numbers = gallery.samples.Z[samples], gallery.samples.numbers[samples]
    if len(models) < ENOUGH:
        return np.broadcast_to(gallery.means.mean(axis=0), Z.shape)
    if numbers.max() == 0:  # one picture or one text each: no two of them answer the same probe
        return np.broadcast_to(Z.mean(axis=0), Z.shape)
    return differences.probe_means(Z, numbers, int(numbers.max()) + 1)[numbers]


def _group(gallery: Gallery, models: NDArray[np.intp], samples: NDArray[np.intp], rows: Features) -> Reference:
    numbers, first = np.unique(gallery.samples.numbers[samples], return_index=True)
    probe_set = gallery.probe_sets.get(gallery.entries[models[0]].digest)
    plain = None if probe_set is None else gallery.prompt_features([probe_set.probes[n].prompt for n in numbers])
    prompts = gallery.prompts[samples[first]] if plain is None else plain
    return Reference(models=models, Z=rows[samples[first]], prompts=prompts)
