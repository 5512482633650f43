"""What a search tells of the models that it has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ranking import rank
from ..scores.calibration import WEAK_BELOW, background, relevance
from ..specification import Requirement
from .answering import Answer
from .description import name_of, suggested_strength
from .explaining import explained
from .gallery import Entry, Gallery
from .query import Match

MOST_THUMBNAILS = 8


def matches(
    gallery: Gallery,
    order: NDArray[np.intp],
    total: Answer,
    requirements: Sequence[Requirement],
    answers: Sequence[Answer],
) -> list[Match]:
    """Of the models in that order, best first."""
    how_relevant = relevance(total.z, background(total.bank_z))
    return [
        Match(
            rank=place,
            score=float(total.z[m]),
            relevance=float(how_relevant[m]),
            weak=bool(how_relevant[m] <= WEAK_BELOW),
            thumbnails=_thumbnails(gallery, m, requirements),
            strength=suggested_strength(gallery, m),
            explanation=explained(gallery, m, requirements, answers),
            **_identity(gallery.entries[m]),
        )
        for place, m in enumerate(map(int, order), 1)
    ]


def _thumbnails(gallery: Gallery, m: int, requirements: Sequence[Requirement]) -> tuple[int, ...]:
    """This model's samples, nearest to what is wanted first."""
    if gallery.only_words[m]:
        return ()
    specification = gallery.specification(m)
    wanted = sum((r.weight * r.h.mean(axis=0) for r in requirements), np.zeros(gallery.dimension))
    nearest = rank(specification.Z.astype(np.float32) @ wanted, MOST_THUMBNAILS)
    return tuple(int(number) for number in specification.numbers[nearest])


def _identity(entry: Entry) -> dict[str, Any]:
    model = entry.model
    return {
        "id": model.fingerprint,
        "name": name_of(model),
        "title": model.title,
        "path": model.path,
        "copies": tuple(copy.path for copy in entry.copies),
        "kind": model.kind.value,
        "architecture": model.architecture,
        "evidence": entry.evidence,
        "trigger_words": model.trigger_words,
    }
