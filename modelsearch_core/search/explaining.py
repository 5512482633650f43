"""Why a model stands where it does: what each input added, which of its samples are nearest, how scores were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ranking import length, rank
from ..specification import Modality, Requirement, Specification
from .answering import Answer, Part
from .measuring import WORDS
from .query import Explanation, MethodReading, NearSample

NEAREST = 4
USUAL = "usual"  # in place of a method: what a query gets from all models alike, and what is not known of one


def explained(
    own: Specification | None,
    place: int,
    requirements: Sequence[Requirement],
    answers: Sequence[Answer],
    *,
    only_words: bool,
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
            methods=_readings(answer, place, only_words=only_words),
        )
        for requirement, answer, contribution in zip(requirements, answers, added, strict=True)
    )


def contributions(z: Sequence[float], weights: Sequence[float]) -> list[float]:
    """What each input adds to the score, as `ranking.combine` does: what is not wanted only counts against."""
    wanted, divisor = any(weight > 0 for weight in weights), length(weights)
    judged = [0.0 if np.isnan(each) else each for each in z]
    return [
        weight * (max(each, 0.0) if wanted and weight < 0 else each) / divisor + 0.0  # no -0.0
        for each, weight in zip(judged, weights, strict=True)
    ]


def _nearest(specification: Specification, requirement: Requirement) -> tuple[NearSample, ...]:
    """The model's samples with the highest cosine; the drawings of these where a sketch asks."""
    drawn = requirement.modality is Modality.SKETCH and specification.drawings is not None
    rows = specification.drawings if drawn and specification.drawings is not None else specification.Z
    cosine = (np.asarray(rows, np.float32) @ np.asarray(requirement.h, np.float32).T).mean(axis=1)
    numbers = specification.numbers
    return tuple(NearSample(number=int(numbers[i]), cosine=float(cosine[i])) for i in rank(cosine, NEAREST))


def _readings(answer: Answer, place: int, *, only_words: bool) -> tuple[MethodReading, ...]:
    """Of the methods that can judge the model, with weights by which their z add up to the input's; last, what all
    models together have changed."""
    parts = [part for part in answer.parts if np.isfinite(part.scores[place])]
    words = only_words and any(part.method == WORDS for part in parts)
    slope = 1.0 if answer.line is None else float(np.ravel(answer.line.slope)[place])
    readings = [_reading(part, place, slope, words=words) for part in parts]
    if answer.line is None:
        return tuple(readings)
    shift = float(np.ravel(answer.line.shift)[place])
    return (*readings, MethodReading(method=USUAL, weight=1.0, score=shift, median=0.0, spread=1.0, hub=0.0, z=shift))


def _reading(part: Part, place: int, slope: float, *, words: bool) -> MethodReading:
    """Words that speak against a model have no weight, as in `ranking.fuse`; where there is nothing else, all of it."""
    reading, weight = part.reading(place), float(part.weight)
    if words:
        weight = float(part.method == WORDS)
    elif part.method == WORDS and reading.z < 0:
        weight = 0.0
    return MethodReading(method=part.method, weight=slope * weight, **reading._asdict())


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
