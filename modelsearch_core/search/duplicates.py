"""Models that make nearly the same pictures of the same probes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..embedding import unit
from ..ranking import near_pairs
from ..specification import Evidence, Specification
from ..statistics import Statistics

NEARLY_THE_SAME = 0.98  # mean cosine of two models' pictures of the same probe
AT_ONCE = 256  # pairs whose pictures are held at once
FIRST_LOOK = 0.02  # how much lower the cosine of the means may be


def alike(statistics: Statistics, threshold: float) -> list[tuple[int, int, float]]:
    """(a, b, mean cosine of their pictures of the same probe) of generated models, most alike first."""
    collection = statistics.collection
    generated = [m for m, entry in enumerate(collection.entries) if entry.evidence is Evidence.GENERATED]
    if not generated:
        return []
    near = [(generated[i], generated[j]) for i, j, _ in near_pairs(statistics.means[generated], threshold - FIRST_LOOK)]
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(near), AT_ONCE):
        part = near[start : start + AT_ONCE]
        models = sorted({m for pair in part for m in pair})
        rows = dict(zip(models, collection.specifications(models), strict=True))
        found += [(a, b, _paired_cosine(collection, a, b, rows)) for a, b in part]
    return sorted((pair for pair in found if pair[2] >= threshold), key=lambda pair: -pair[2])


def _paired_cosine(collection: Collection, a: int, b: int, rows: Mapping[int, Specification]) -> float:
    of_a, of_b = _by_prompt(collection, a, rows[a]), _by_prompt(collection, b, rows[b])
    common = sorted(of_a.keys() & of_b.keys())
    if not common:
        return 0.0
    A, B = (unit(np.array([of[key] for key in common], np.float32)) for of in (of_a, of_b))
    return float((A * B).sum(axis=1).mean())


def _by_prompt(collection: Collection, m: int, of: Specification) -> dict[tuple[str, int], NDArray[np.floating]]:
    """A model's rows by the probe's plain prompt and seed, which mean the same whatever the trigger words."""
    probes = collection.probe_sets[collection.entries[m].digest].probes
    keys = [(probes[number].prompt, probes[number].seed) for number in of.numbers]
    return dict(zip(keys, of.Z, strict=True))
