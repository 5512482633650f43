"""What a search tells of the models that it has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection, Entry
from ..model_files.lineages import lineage_name
from ..ranking import rank
from ..scores import evidence
from ..scores.calibration import WEAK_BELOW, null_of, relevance
from ..specification import Modality, Requirement, Specification
from .answering import Answer
from .certainty import confidence_of
from .description import name_of, suggested_strength
from .explaining import explained
from .query import Match

MOST_THUMBNAILS = 8
ROUNDING = 1e-6  # of a relevance: an answer that is just as good as an unrelated query's is weak


def matches(
    collection: Collection,
    models: NDArray[np.intp],
    order: NDArray[np.intp],
    total: Answer,
    requirements: Sequence[Requirement],
    answers: Sequence[Answer],
) -> list[Match]:
    """Of the `models` that were judged, those at these places, best first."""
    null = null_of(total.unrelated.best())
    how_relevant = relevance(total.z[order], null)
    how_sure = confidence_of(requirements, total.z, order, null)
    rho = np.ones(len(models)) if total.rho is None else total.rho
    found = [int(models[place]) for place in order]
    pictured = [m for m in found if not collection.unseen[m]]
    drawn = any(requirement.modality is Modality.SKETCH for requirement in requirements)
    rows = dict(zip(pictured, collection.specifications(pictured, drawn=drawn), strict=True))
    return [
        Match(
            rank=rank_,
            score=float(total.z[place]),
            relevance=float(relevant),
            weak=bool(relevant <= WEAK_BELOW + ROUNDING),
            confidence=float(sure),
            guessed=bool(rho[place] < 1),
            deviation=float(evidence.deviation(rho[place])),
            thumbnails=_thumbnails(rows[m], requirements) if m in rows else (),
            strength=suggested_strength(collection, m),
            explanation=explained(
                rows.get(m), int(place), requirements, answers, only_words=bool(collection.only_words[m])
            ),
            **_identity(collection.entries[m]),
        )
        for rank_, (m, place, relevant, sure) in enumerate(zip(found, order, how_relevant, how_sure, strict=True), 1)
    ]


def _thumbnails(specification: Specification, requirements: Sequence[Requirement]) -> tuple[int, ...]:
    """This model's samples, nearest to what is wanted first."""
    Z = np.asarray(specification.Z, np.float32)
    wanted = sum((r.weight * r.h.mean(axis=0) for r in requirements), np.zeros(Z.shape[1]))
    nearest = rank(Z @ wanted, MOST_THUMBNAILS)
    return tuple(int(number) for number in specification.numbers[nearest])


def _identity(entry: Entry) -> dict[str, Any]:
    model = entry.model
    return {
        "id": model.fingerprint,
        "name": name_of(model),
        "title": model.title,
        "path": model.path,
        "copies": entry.paths[1:],
        "kind": entry.kind.value,
        "architecture": entry.architecture,
        "variant": model.variant,
        "lineage": lineage_name(model),
        "evidence": entry.evidence,
        "samples": entry.samples if entry.is_seen else 0,
        "users_pictures": entry.users_pictures,
        "trigger_words": model.trigger_words,
    }
