"""What a method's scores are measured by: what unrelated queries get from models of the same evidence and kind.

0 is an average unrelated query's score for a model of its group, 1 is one standard deviation better. The bank (B
queries) is put to a sample of the models (n of M), as many of each group as make its location and scale sure; nothing
of size (B, M) is ever held. docs/methods.md 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..scores import calibration
from .banks import SEED

EACH = 256  # models of a group that are asked, at most

Scores = NDArray[np.floating]
Models = NDArray[np.intp]


class Reading(NamedTuple):
    """One model's score on a yardstick: z = (score − hub − median) / spread, all but z in the method's own unit."""

    score: float
    median: float  # of what unrelated queries get for models of its group
    spread: float
    hub: float  # what is taken off a model that is near to many queries, compared with its group's median
    z: float


def sampled(collection: Collection) -> Models:
    """(n,): at most `EACH` models of every group, always the same ones of the same collection."""
    rng, groups = np.random.default_rng(SEED + 4), collection.groups
    chosen = [rng.permutation(np.flatnonzero(groups == group))[:EACH] for group in np.unique(groups)]
    return np.sort(np.concatenate([np.empty(0, np.intp), *chosen])).astype(np.intp)


@dataclass(frozen=True, kw_only=True)
class Unrelated:
    """z (B, n) of the bank's queries for sampled models, whose groups are `groups` (n,), each of `sizes` models."""

    z: Scores
    groups: NDArray[np.integer]
    sizes: dict[int, int]

    def best(self) -> NDArray[np.floating]:
        """(B,): how good each query's best match among all models is; −inf where it has none."""
        best = np.full(len(self.z), -np.inf)
        for group in np.unique(self.groups):
            of = self.z[:, self.groups == group]
            M = self.sizes.get(int(group)) or of.shape[1]
            best = np.fmax(best, calibration.best_of_more(of, M))
        return best


class Kin(NamedTuple):
    """Groups that were asked the same: kinds of one evidence. They share a scale, the more the fewer models one has."""

    alike: NDArray[np.integer]  # (n,): of the sampled models, the same number for kin
    sizes: dict[int, int]  # models of each group


class Taken(IntEnum):
    """What is taken off models that are near to many queries."""

    NOTHING = 0
    HUBS = 1  # of the best that a model gives to unrelated queries, where a few models are in everyone's answer
    USUAL = 2  # of what a model usually gives; it is not the same for models of one group, nor for kinds

    def off(self, bank_scores: Scores) -> NDArray[np.floating] | None:
        """(n,), of the bank's scores (B, n)."""
        if self is Taken.HUBS:
            return calibration.ALPHA * calibration.hub_bias(bank_scores)
        return calibration.USUAL * calibration.usual(bank_scores) if self is Taken.USUAL else None


class Measures(NamedTuple):
    """What a yardstick comes down to: (location, scale) by group, None where the bank says too little of one; what is
    taken off the sampled models (n,), if anything is, and by which rule; z (B, n) of the bank's queries."""

    scales: dict[int, tuple[float, float] | None]
    bias: NDArray[np.floating] | None
    z: Scores
    rule: Taken = Taken.NOTHING

    @classmethod
    def of(
        cls,
        bank_scores: Scores,
        groups: NDArray[np.integer],
        *,
        kin: Kin | None = None,
        correct: bool | None = None,
        usual: bool = False,
    ) -> Measures:
        """Of the bank's scores (B, n) for sampled models of these groups (n,). Hubs are taken off where they are
        marked, or as `correct` says; else a share of what is `usual`, where that is of use."""
        marked = len(bank_scores) > 0 and calibration.when_to_correct(bank_scores)
        corrected = len(bank_scores) > 0 and (marked if correct is None else correct)
        rule = Taken.HUBS if corrected else Taken.USUAL if usual and len(bank_scores) else Taken.NOTHING
        bias = rule.off(bank_scores)
        bank_scores = bank_scores if bias is None else bank_scores - bias
        scales: dict[int, tuple[float, float] | None] = {}
        z = np.empty(bank_scores.shape, np.float32)
        for group in np.unique(groups):
            of = groups == group
            scale = scales[int(group)] = _shared(bank_scores, groups, int(group), kin)
            location, spread = scale or calibration.location_and_scale(bank_scores[:, of])
            z[:, of] = (bank_scores[:, of] - location) / spread
        return cls(scales, bias, z, rule)

    def of_several(self, owner: NDArray[np.integer], T: int, groups: NDArray[np.integer], kin: Kin | None) -> Measures:
        """For T pictures of one model at once, which vary less together than each of them does."""
        together = Measures.of(calibration.of_several(self.z, owner, T, SEED), groups, kin=kin, correct=False)
        scales: dict[int, tuple[float, float] | None] = {}
        for group, scale in self.scales.items():
            among = together.scales[group]
            both = None if scale is None or among is None else (scale[0] + scale[1] * among[0], scale[1] * among[1])
            scales[group] = both
        return Measures(scales, self.bias, together.z, self.rule)


class Yardstick:
    """Of one method and modality, by what the bank's queries get from the `models` that were sampled."""

    def __init__(
        self,
        measures: Measures,
        groups: NDArray[np.integer],
        *,
        models: Models | None = None,
        biases: NDArray[np.floating] | None = None,
        bias_of: Callable[[Models], NDArray[np.floating]] | None = None,
    ) -> None:
        """`groups` (M,) of all models. What is taken off models that were not sampled: `biases` (M,) as far as it is
        known; `bias_of` works out the others (NaN)."""
        self._groups = groups
        self._models = np.arange(len(groups)) if models is None else models
        self._scales = measures.scales
        self.corrected = measures.bias is not None
        self._bias = np.full(len(groups), np.nan) if biases is None else biases.copy()
        self._bias[self._models] = 0.0 if measures.bias is None else measures.bias
        self._bias_of = bias_of
        self._of_sampled = groups[self._models]
        self._usual_of: dict[int, float] = {}
        sizes = dict(zip(*(part.tolist() for part in np.unique(groups, return_counts=True)), strict=True))
        self.unrelated = Unrelated(z=measures.z, groups=self._of_sampled, sizes=sizes)

    @classmethod
    def of(cls, bank_scores: Scores, groups: NDArray[np.integer], *, correct: bool | None = None) -> Yardstick:
        """Where the bank was put to all models: scores (B, M)."""
        return cls(Measures.of(bank_scores, groups, correct=correct), groups)

    def z(self, scores: Scores, models: Models | None = None, *, nearly: bool = False) -> NDArray[np.floating]:
        """Scores (…, C) of these models in standard units. `nearly`: what is not known to be taken off a model is taken
        to be as is usual of its group, rather than that its samples are read for it."""
        models = np.arange(len(self._groups)) if models is None else models
        corrected = scores - (self._known_hubs(models) if nearly else self._hubs(models))
        z, groups = np.empty(scores.shape), self._groups[models]
        for group in np.unique(groups):
            of = groups == group
            location, scale = self._measure(int(group), corrected[..., of])
            z[..., of] = (corrected[..., of] - location) / scale
        return z

    def reading(self, scores: Scores, place: int, models: Models | None = None) -> Reading:
        """How one of these (C,) scores of models was read."""
        models = np.arange(len(self._groups)) if models is None else models
        group, bias = int(self._groups[models[place]]), float(self._hubs(models[[place]])[0])
        location, spread = self._scales.get(group) or self._measure_of(group, scores, models)
        usual = self._usual(group)
        z = (float(scores[place]) - bias - location) / spread
        return Reading(float(scores[place]), location + usual, spread, bias - usual, z)

    def _measure_of(self, group: int, scores: Scores, models: Models) -> tuple[float, float]:
        """By the scores at hand, of all models (C,)."""
        of = self._groups[models] == group
        return self._measure(group, (scores - self._hubs(models))[of])

    def _usual(self, group: int) -> float:
        """What is taken off most of a group's models."""
        if group not in self._usual_of:
            known = self._bias[self._models][self._of_sampled == group]
            self._usual_of[group] = float(np.median(known)) if len(known) else 0.0
        return self._usual_of[group]

    def _measure(self, group: int, corrected: Scores) -> tuple[float, float]:
        """(location, scale); by the scores at hand where the bank says too little."""
        if (scale := self._scales.get(group)) is not None:
            return scale
        return calibration.location_and_scale(corrected)

    def _hubs(self, models: Models) -> NDArray[np.floating]:
        """(C,): how near each of these models is to every query."""
        unknown = models[np.isnan(self._bias[models])]
        if len(unknown):
            self._bias[unknown] = self._bias_of(unknown) if self.corrected and self._bias_of else 0.0
        return self._bias[models]

    def _known_hubs(self, models: Models) -> NDArray[np.floating]:
        """(C,): the same as far as it is known, else as is usual."""
        bias = self._bias[models]
        unknown = np.isnan(bias)
        for group in np.unique(self._groups[models[unknown]]):
            bias[unknown & (self._groups[models] == group)] = self._usual(int(group))
        return bias


def _shared(
    bank_scores: Scores, groups: NDArray[np.integer], group: int, kin: Kin | None
) -> tuple[float, float] | None:
    """(location, scale), or None for a group that the bank says too little of."""
    of = groups == group
    own = _scale_of(bank_scores[:, of])
    if kin is None:
        return own
    family = kin.alike == kin.alike[np.argmax(of)]
    if (family == of).all():
        return own
    common = _scale_of(bank_scores[:, family])
    return common if own is None or common is None else calibration.shared(own, common, kin.sizes[group])


def _scale_of(known: Scores) -> tuple[float, float] | None:
    """(location, scale), or None for a group that the bank says too little of."""
    enough = np.isfinite(known).sum() >= calibration.ENOUGH
    return calibration.location_and_scale(known) if enough else None
