"""Models that make nearly the same pictures of the same probes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embedding import unit
from ..ranking import near_pairs
from ..specification import Evidence
from .gallery import Gallery

NEARLY_THE_SAME = 0.98  # mean cosine of two models' pictures of the same probe
FIRST_LOOK = 0.02  # how much lower the cosine of the means may be


def alike(gallery: Gallery, threshold: float) -> list[tuple[int, int, float]]:
    """(a, b, mean cosine of their pictures of the same probe) of generated models, most alike first."""
    generated = [m for m, entry in enumerate(gallery.entries) if entry.evidence is Evidence.GENERATED]
    found: list[tuple[int, int, float]] = []
    for i, j, _ in near_pairs(gallery.means[generated], threshold - FIRST_LOOK):
        cosine = paired_cosine(gallery, generated[i], generated[j])
        if cosine >= threshold:
            found.append((generated[i], generated[j], cosine))
    return sorted(found, key=lambda pair: -pair[2])


def paired_cosine(gallery: Gallery, a: int, b: int) -> float:
    """Mean cosine of two models' samples for the probes that both were asked; 0 where there is none."""
    rows_a, rows_b = _by_prompt(gallery, a), _by_prompt(gallery, b)
    common = sorted(rows_a.keys() & rows_b.keys())
    if not common:
        return 0.0
    A, B = (unit(np.array([rows[key] for key in common], np.float32)) for rows in (rows_a, rows_b))
    return float((A * B).sum(axis=1).mean())


def _by_prompt(gallery: Gallery, m: int) -> dict[tuple[str, int], NDArray[np.floating]]:
    """A model's rows by the probe's plain prompt and seed, which mean the same whatever the trigger words."""
    specification = gallery.specification(m)
    probes = gallery.probe_sets[gallery.entries[m].digest].probes
    keys = [(probes[number].prompt, probes[number].seed) for number in specification.numbers]
    return dict(zip(keys, specification.Z, strict=True))
