"""Why a model stands where it does: what each input added, which of its samples are nearest, how scores were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ranking import rank
from ..specification import Modality, Requirement, Specification
from .answering import Answer, Part
from .query import Explanation, MethodReading, NearSample

NEAREST = 4


def explained(
    own: Specification | None, place: int, requirements: Sequence[Requirement], answers: Sequence[Answer]
) -> tuple[Explanation, ...]:
    """One entry for each input of the query; their contributions add up to the model's score. `own` are its rows, if
    it has pictures; `place` is its place in the answers."""
    added = contributions([float(answer.z[place]) for answer in answers], [r.weight for r in requirements])
    return tuple(
        Explanation(
            label=requirement.label,
            modality=requirement.modality,
            weight=requirement.weight,
            score=_known(float(answer.z[place])),
            contribution=contribution,
            nearest=() if own is None else _nearest(own, requirement),
            methods=_readings(answer.parts, place),
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


def _nearest(specification: Specification, requirement: Requirement) -> tuple[NearSample, ...]:
    """The model's samples with the highest cosine; the drawings of these where a sketch asks."""
    drawn = requirement.modality is Modality.SKETCH and specification.drawings is not None
    rows = specification.drawings if drawn and specification.drawings is not None else specification.Z
    cosine = (np.asarray(rows, np.float32) @ np.asarray(requirement.h, np.float32).T).mean(axis=1)
    numbers = specification.numbers
    return tuple(NearSample(number=int(numbers[i]), cosine=float(cosine[i])) for i in rank(cosine, NEAREST))


def _readings(parts: Sequence[Part], place: int) -> tuple[MethodReading, ...]:
    """Of the methods that can judge the model, with weights by which their z add up to the input's."""
    return tuple(_reading(part, place) for part in parts if np.isfinite(part.scores[place]))


def _reading(part: Part, place: int) -> MethodReading:
    """Words that speak against a model have no weight, as in `ranking.fuse`."""
    reading = part.reading(place)
    silent = part.method == "words" and reading.z < 0
    return MethodReading(method=part.method, weight=0.0 if silent else float(part.weight), **reading._asdict())


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
