"""Why a model stands where it does: what each input added, which of its samples are nearest, how scores were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ranking import rank
from ..specification import Modality, Requirement
from .answering import Answer, Part
from .gallery import Gallery
from .query import Explanation, MethodReading, NearSample

NEAREST = 4


def explained(
    gallery: Gallery, m: int, requirements: Sequence[Requirement], answers: Sequence[Answer]
) -> tuple[Explanation, ...]:
    """One entry for each input of the query; their contributions add up to the model's score."""
    added = contributions([float(answer.z[m]) for answer in answers], [r.weight for r in requirements])
    return tuple(
        Explanation(
            label=requirement.label,
            modality=requirement.modality,
            weight=requirement.weight,
            score=_known(float(answer.z[m])),
            contribution=contribution,
            nearest=_nearest(gallery, m, requirement),
            methods=_readings(answer.parts, m),
        )
        for requirement, answer, contribution in zip(requirements, answers, added, strict=True)
    )


def contributions(z: Sequence[float], weights: Sequence[float]) -> list[float]:
    """What each input adds to the score, as `ranking.combine` does: what is not wanted only counts against."""
    wanted, length = any(weight > 0 for weight in weights), max(float(np.linalg.norm(weights)), 1e-12)
    judged = [0.0 if np.isnan(each) else each for each in z]
    return [
        weight * (max(each, 0.0) if wanted and weight < 0 else each) / length + 0.0  # no -0.0
        for each, weight in zip(judged, weights, strict=True)
    ]


def _nearest(gallery: Gallery, m: int, requirement: Requirement) -> tuple[NearSample, ...]:
    """The model's samples with the highest cosine; the drawings of these where a sketch asks."""
    if gallery.only_words[m]:
        return ()
    specification = gallery.specification(m)
    drawn = requirement.modality is Modality.SKETCH and specification.drawings is not None
    rows = specification.drawings if drawn and specification.drawings is not None else specification.Z
    cosine = (np.asarray(rows, np.float32) @ np.asarray(requirement.h, np.float32).T).mean(axis=1)
    numbers = specification.numbers
    return tuple(NearSample(number=int(numbers[i]), cosine=float(cosine[i])) for i in rank(cosine, NEAREST))


def _readings(parts: Sequence[Part], m: int) -> tuple[MethodReading, ...]:
    """Of the methods that can judge the model, with weights by which their z add up to the input's."""
    return tuple(_reading(part, m) for part in parts if np.isfinite(part.scores[m]))


def _reading(part: Part, m: int) -> MethodReading:
    """Words that speak against a model have no weight, as in `ranking.fuse`."""
    reading = part.reading(m)
    silent = part.method == "words" and reading.z < 0
    return MethodReading(method=part.method, weight=0.0 if silent else float(part.weight), **reading._asdict())


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
