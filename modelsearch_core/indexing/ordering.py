"""Which models to generate from first: what searches wanted, then base by base, what differs most from the known first.

What is known before generating tells how they differ: sketches of their weights, their authors' words, pictures found
beside them or made by the user. So near-duplicates come last, and the map of a collection is covered early.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog
from ..catalog.weight_sketches import VERSION, vectors
from ..embedding import Encoder, unit
from ..errors import ModelSearchError
from ..generation import Generator
from ..model_files import ModelFile
from ..scores.spread import farthest_first
from ..specification import EVIDENCE_ORDER, Evidence
from .wanted import wanted_first

WIDTH = 128  # numbers that a sketch is brought down to here
SEED = 30_000
SEEN = {each for each in EVIDENCE_ORDER if each.is_seen} - {Evidence.GENERATED}


def in_order(catalog: Catalog, encoder: Encoder, models: Iterable[ModelFile], generator: Generator) -> list[ModelFile]:
    """What searches wanted first. The others each base's together so that it is loaded once; a base before its LoRA."""
    by_base = sorted(models, key=lambda model: (*_base_of(model, generator), str(model.path)))
    groups = groupby(by_base, key=lambda model: _base_of(model, generator))
    return wanted_first(catalog, [model for _, group in groups for model in _spread(catalog, encoder, list(group))])


def _base_of(model: ModelFile, generator: Generator) -> tuple[str, bool]:
    """(fingerprint of the base, whether it has one); what fails when it is asked for its base comes first."""
    try:
        base = generator.base_of(model)
    except ModelSearchError:
        return "", False
    return (base or model).fingerprint, base is not None


def _spread(catalog: Catalog, encoder: Encoder, models: list[ModelFile]) -> list[ModelFile]:
    if len(models) < 3:
        return models
    place = {model.fingerprint: i for i, model in enumerate(models)}
    measured = [each for each in catalog.measured(encoder.name) if each.fingerprint in place]
    generated = {place[each.fingerprint] for each in measured if each.evidence is Evidence.GENERATED}
    means = catalog.means(encoder.name)
    pictures = {each.fingerprint: means[each.key] for each in measured if each.evidence in SEEN and each.key in means}
    worded = [each.key for each in measured if each.evidence is Evidence.METADATA]
    words = {
        f: np.asarray(of.Z, np.float32).mean(axis=0)
        for (f, _), of in catalog.specifications(encoder.name, worded).items()
    }
    spaces = [*_of_weights(catalog, models), _rows(models, pictures), _rows(models, words)]
    spaces = [space for space in spaces if space.any()]
    if not spaces:
        return models
    order = [*sorted(generated), *farthest_first(spaces, known=sorted(generated))]
    return [models[i] for i in order]


def _of_weights(catalog: Catalog, models: Sequence[ModelFile]) -> Iterator[NDArray[np.floating]]:
    known = catalog.sketches.get([model.fingerprint for model in models], VERSION)
    if not known:
        return
    whole = vectors(list(known.values()))
    if whole.shape[1] > WIDTH:
        whole = whole @ np.random.default_rng(SEED).normal(size=(whole.shape[1], WIDTH)).astype(np.float32)
    yield _rows(models, dict(zip(known, whole, strict=True)))


def _rows(models: Sequence[ModelFile], of: dict[str, NDArray[np.floating]]) -> NDArray[np.floating]:
    """(n, d) unit rows, zero where there is none; less their mean, which tells nobody from another."""
    if len(of) < 2:
        return np.zeros((len(models), 1), np.float32)
    known = np.array(list(of.values()), np.float32)
    rows = np.zeros((len(models), known.shape[1]), np.float32)
    place = dict(zip(of, unit(known - known.mean(axis=0)), strict=True))
    for i, model in enumerate(models):
        rows[i] = place.get(model.fingerprint, 0)
    return rows
