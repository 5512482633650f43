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
WEIGHT = 1.0  # of the layout beside the first answer


@dataclass(frozen=True, kw_only=True)
class Refined:
    """`layouts` are the answers to `requirements`: the pictures, asked by their layout."""

    total: Answer
    requirements: list[Requirement]
    layouts: list[Answer]


def respecting_layout(
    answering: Answering, total: Answer, requirements: Sequence[Requirement], allowed: NDArray[np.bool_]
) -> Refined:
    """Only allowed models (M,) are looked at again; the others have no place in the answer."""
    pictures = [requirement for requirement in requirements if requirement.modality is Modality.IMAGE]
    layouts = [answering.answer(picture, "spatial") for picture in pictures]
    weighted = [(answer, picture.weight) for answer, picture in zip(layouts, pictures, strict=True)]
    both = added([(total, 1.0), (added(weighted, unrelated=True), WEIGHT)])
    z = refine(np.where(allowed, total.z, np.nan), both.z, REFINED)
    asked = [replace(picture, label=f"layout of {picture.label}") for picture in pictures]
    return Refined(total=Answer(z, both.bank_z), requirements=asked, layouts=layouts)
