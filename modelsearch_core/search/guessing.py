"""Evidence `weights`: what a LoRA's pictures would look like, by what it changes and by those that were generated.

Family by family, kernel ridge regression from sketches of ΔW to directions (docs/methods.md 9; after W2T, arXiv
2603.15990). It is used where it beats the mean of the others on those that are left out. These keep what the others
predict of them, so that its worth is measured as that of all evidence is.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..catalog import Catalog
from ..catalog.weight_sketches import VERSION, Sketch, vectors
from ..collection import Collection, Entry
from ..embedding import Features, unit
from ..model_files import Kind
from ..scores import ridge
from ..specification import Evidence, Specification
from ..statistics import Statistics

LEAST = 8  # generated LoRA of a family from which on the others are guessed by them
CONVINCING = 2.0  # standard errors by which a guess is better than the mean of the others


@dataclass(frozen=True, kw_only=True)
class Family:
    """LoRA of one architecture with sketches: rows of the collection that were generated, and those of the others."""

    name: str
    known: Sequence[int]
    others: Sequence[int]


def store_guesses(catalog: Catalog, collection: Collection) -> int:
    """Brings what weights say up to date; of how many LoRA there is now another guess, or none any more."""
    statistics, changed = Statistics(collection), 0
    sketches = catalog.sketches.get([entry.fingerprint for entry in collection.entries], VERSION)
    before = {each.fingerprint: each.digest for each in collection.measured if each.evidence is Evidence.WEIGHTS}
    kept: set[str] = set()
    for family in _families(collection, sketches):
        guesses = _guesses(statistics, family, sketches)
        with catalog.transaction():
            for m, Z in guesses.items():
                entry = collection.entries[m]
                kept.add(entry.fingerprint)
                digest = f"weights:{family.name}:{hashlib.sha256(Z.astype(np.float16).tobytes()).hexdigest()[:24]}"
                if before.get(entry.fingerprint) != digest:
                    _replace(catalog, collection.encoder, entry, digest, Z, before.get(entry.fingerprint))
                    changed += 1
    for fingerprint, digest in before.items():
        if fingerprint not in kept:
            catalog.remove_specification(fingerprint, digest)
            changed += 1
    return changed


def _families(collection: Collection, sketches: Mapping[str, Sketch]) -> list[Family]:
    known: dict[str, list[int]] = defaultdict(list)
    others: dict[str, list[int]] = defaultdict(list)
    for m, entry in enumerate(collection.entries):
        if entry.kind is Kind.LORA and entry.fingerprint in sketches:
            is_known = entry.evidence is Evidence.GENERATED and collection.base_specification(m) is not None
            (known if is_known else others)[entry.architecture].append(m)
    return [Family(name=name, known=rows, others=others[name]) for name, rows in known.items() if len(rows) >= LEAST]


def _guesses(statistics: Statistics, family: Family, sketches: Mapping[str, Sketch]) -> dict[int, Features]:
    """The mean (D,) that each LoRA's pictures would have; nothing where guesses are no better than the mean."""
    entries, known = statistics.collection.entries, list(family.known)
    models = [*known, *family.others]
    X = vectors([sketches[entries[m].fingerprint] for m in models])
    directions = np.asarray(statistics.directions[known], float)
    fit = ridge.fit(X[: len(known)] @ X[: len(known)].T, unit(directions))
    if fit.gain < CONVINCING:
        return {}
    strength = float(np.linalg.norm(directions, axis=1).mean())
    reference = (statistics.raw_means[known] - directions).mean(axis=0)
    predicted = np.concatenate([fit.held_out, fit.predict(X[len(known) :] @ X[: len(known)].T)])
    return {m: (reference + strength * row).astype(np.float32) for m, row in zip(models, predicted, strict=True)}


def _replace(catalog: Catalog, encoder: str, entry: Entry, digest: str, Z: Features, before: str | None) -> None:
    if before is not None:
        catalog.remove_specification(entry.fingerprint, before)
    catalog.put_specification(
        Specification(
            fingerprint=entry.fingerprint,
            digest=digest,
            encoder=encoder,
            evidence=Evidence.WEIGHTS,
            Z=Z[None],
            numbers=np.zeros(1, np.int32),
        )
    )
