"""What the index knows of a model, and what a query asks of it.

Z (S, D): unit features of a model's samples.  Q (S, D): unit text features of the prompts behind them.
h (T, D): unit features of a query's inputs of one modality.  q̂ (D,): unit text feature of a prompt for these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .embedding import Features


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What is true of an evidence. `worth`: correlation of its scores with those of generated pictures, before a
    collection has models with both (docs/methods.md 12); of pictures, of as many as one likes. None: by the query's
    modality, as of words, or never asked."""

    told: str  # of what the API answers
    is_seen: bool = False  # of pictures
    is_dense: bool = False  # samples enough for a density
    has_mean: bool = True  # is stored; words are few enough to be read
    is_made: bool = False  # by the weights, whichever file they lie in
    worth: float | None = None


class Evidence(str, Enum):
    """What a model's features rest on, best first."""

    is_seen: bool
    is_dense: bool
    has_mean: bool
    is_made: bool
    worth: float | None
    told: str

    def __new__(cls, value: str, basis: Basis) -> Evidence:
        made = str.__new__(cls, value)
        made._value_ = value
        for name, of in vars(basis).items():
            setattr(made, name, of)
        return made

    GENERATED = (
        "generated",
        Basis(told="pictures that the index made with it", is_seen=True, is_dense=True, is_made=True, worth=1.0),
    )
    # A few pictures show a few subjects, and the most alike of many is by subject. Users' own come to .9 on the
    # procedural zoo, where they are of all subjects (docs/results_before.md).
    PICTURES = (
        "pictures",
        Basis(
            told="pictures that its user made with it before; or the pictures that it is a set of",
            is_seen=True,
            is_dense=True,
            worth=0.7,
        ),
    )
    PREVIEW = "preview", Basis(told="pictures found beside the file", is_seen=True, worth=0.4)
    WEIGHTS = "weights", Basis(told="a guess by what its weights change, from LoRA that were generated", worth=0.45)
    METADATA = "metadata", Basis(told="its author's words", has_mean=False)
    REFERENCE = (
        "reference",
        Basis(told="drawings that it filled out, beside any other", is_seen=True, has_mean=False, is_made=True),
    )


EVIDENCE_ORDER = tuple(each for each in Evidence if each is not Evidence.REFERENCE)  # best first


class Modality(str, Enum):
    """What sort of input a query is."""

    TEXT = "text"
    IMAGE = "image"
    SKETCH = "sketch"
    MODEL = "model"


class Factors(NamedTuple):
    """Of a density of S samples: λ (r,), and U (r, S), or the axes V (r, D) where there are more samples than features
    (`scores.gaussian.factors`)."""

    λ: NDArray[np.floating]
    U: NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Specification:
    """The features of one model under one probe set and one encoder.

    `digest` is the probe set's; for previews and metadata, a digest of what was encoded. `numbers` are the probes
    of the rows. `drawings` are the features of the samples' line drawings, row by row, where these were made.
    """

    fingerprint: str
    digest: str
    encoder: str
    evidence: Evidence
    Z: Features  # (S, D)
    numbers: NDArray[np.int32]  # (S,)
    drawings: Features | None = None  # (S, D)
    strength: float | None = None  # mean ‖δ‖ of a LoRA's differences to its base (docs/methods.md 5)
    consistency: float | None = None  # mean cosine of two of these differences
    shares: NDArray[np.floating] | None = None  # (S,): how much of a picture is this model's, in its mean; None: all


@dataclass(frozen=True, kw_only=True, eq=False)  # none is another, however alike: scores are kept of each
class Requirement:
    """One input of a query, as features. A negative weight asks for less of it."""

    modality: Modality
    h: Features  # (T, D)
    weight: float = 1.0
    prompt: Features | None = None  # (D,), q̂ of docs/methods.md 4
    difference: Features | None = None  # (D,), Δ_q of docs/methods.md 5
    model: int | None = None  # the row of the collection that asks
    styles: Features | None = None  # (T, d), style vectors of pictures, where a network of their own gives them
    layouts: Features | None = None  # (T, F), unit maps of pictures, where the layout counts
    style: float | None = None  # for pictures: 0 asks for the same subject, 1 for the same style
    views: int = 1  # rows of h that are the same sketch, in other ways of drawing
    form: int = 0  # of a text: `background.Form`
    label: str = ""
