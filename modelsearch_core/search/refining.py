"""An answer's best models ranked again by where things are in the pictures that were asked by (arXiv 2210.03116, A)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..ranking import refine
from ..specification import Modality, Requirement
from .answering import Answer, Answering, added

REFINED = 50  # of the best models are looked at again
WEIGHT = 1.0  # of a picture's layout beside the picture


@dataclass(frozen=True, kw_only=True)
class Refined:
    """The inputs and how each was answered, the pictures' layouts among them as inputs of their own."""

    total: Answer
    requirements: list[Requirement]
    answers: list[Answer]


def respecting_layout(
    answering: Answering,
    total: Answer,
    requirements: Sequence[Requirement],
    answers: Sequence[Answer],
    models: NDArray[np.intp],
) -> Refined:
    """Of an answer about these models (C,)."""
    pictures = [requirement for requirement in requirements if requirement.modality is Modality.IMAGE]
    by_layout = [replace(r, label=f"layout of {r.label}", weight=WEIGHT * r.weight) for r in pictures]
    layouts = [answering.answer(picture, "spatial", models) for picture in pictures]
    pairs = zip([*answers, *layouts], [*requirements, *by_layout], strict=True)
    both = added([(answer, requirement.weight) for answer, requirement in pairs], unrelated=True)
    z = refine(total.z, both.z, REFINED)
    return Refined(
        total=Answer(z, both.unrelated), requirements=[*requirements, *by_layout], answers=[*answers, *layouts]
    )
