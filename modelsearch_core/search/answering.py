"""Standardised scores, so that methods, modalities, kinds and evidence can be added up and stand in one list.

A score is compared with what unrelated queries of its modality get (`banks`): 0 is an average unrelated query's score
for a model of the same evidence and kind, 1 is one standard deviation better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..ranking import WORDS_WEIGHT, combine, fuse
from ..scores import calibration, content
from ..specification import Modality, Requirement
from .banks import SEED, Bank, bank
from .experts import METHODS, Asked, Experts
from .gallery import Gallery

# Chosen by docs/results.md and benchmarks/fusion.py. best_k costs some hits there, but tells a picture that a model of
# few samples has made itself.
AUTO: dict[Modality, dict[str, float]] = {
    Modality.TEXT: {"first_moment": 0.5, "paired_difference": 0.5},
    Modality.IMAGE: {"gaussian": 0.5, "monte_carlo": 0.25, "best_k": 0.25},
    Modality.SKETCH: {"drawn_gaussian": 1.0},
    Modality.MODEL: {"first_moment": 0.5, "paired_difference": 0.5},
}

LEARNED_INSTEAD = {  # of a method of `AUTO`, where learning was of use
    (Modality.IMAGE, "gaussian"): "learned_gaussian",
    (Modality.SKETCH, "drawn_gaussian"): "learned_gaussian",
    (Modality.TEXT, "first_moment"): "learned_first_moment",
}
PROMPTED = {"prompted_kernel_mean": 0.5}  # besides, for pictures whose prompt is told
STYLE_SHARE = 0.0  # of style beside content in `auto`, unless a query says; by docs/results_style.md


class Reading(NamedTuple):
    """One model's score on a yardstick: z = (score − hub − median) / spread, all but z in the method's own unit."""

    score: float
    median: float  # of what unrelated queries get for models of its group
    spread: float
    hub: float  # what is taken off a model that is near to every query, compared with its group's median
    z: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one method said: scores (M,), before they were measured, and its share in z."""

    method: str
    weight: float
    scores: NDArray[np.floating]
    yardstick: Yardstick

    def reading(self, m: int) -> Reading:
        return self.yardstick.reading(self.scores, m)


@dataclass(frozen=True)
class Answer:
    """z of all models for one requirement, the weighted sum of its parts, and of the bank's queries for comparison."""

    z: NDArray[np.floating]  # (M,)
    bank_z: NDArray[np.floating]  # (B, M)
    parts: tuple[Part, ...] = ()


class Yardstick:
    """What the scores of one method and modality are measured by; worked out once from its bank (B, M)."""

    def __init__(
        self, background: NDArray[np.floating], groups: NDArray[np.integer], *, always_correct: bool = False
    ) -> None:
        corrected = len(background) > 0 and (always_correct or calibration.when_to_correct(background))
        self._bias = calibration.hub_bias(background) if corrected else np.zeros(background.shape[1])
        self._background = calibration.without_hubs(background, self._bias)
        self._groups = groups
        self._scales = {int(group): self._scale_of(groups == group) for group in np.unique(groups)}
        self.bank_z = calibration.standardise(self._background, self._background, groups)

    def _scale_of(self, of: NDArray[np.bool_]) -> tuple[float, float] | None:
        """(location, scale), or None for a group that the bank says too little of."""
        known = self._background[:, of]
        enough = np.isfinite(known).sum() >= calibration.ENOUGH
        return calibration.location_and_scale(known, known[:0]) if enough else None

    def answer(self, scores: NDArray[np.floating]) -> Answer:
        """Scores (M,) in standard units."""
        corrected = calibration.without_hubs(scores, self._bias)
        z = np.empty(scores.shape)
        for group in self._scales:
            of = self._groups == group
            location, scale = self._measure(group, corrected)
            z[of] = (corrected[of] - location) / scale
        return Answer(z, self.bank_z)

    def _measure(self, group: int, corrected: NDArray[np.floating]) -> tuple[float, float]:
        """(location, scale); by the scores at hand as well where the bank says too little."""
        of = self._groups == group
        return self._scales[group] or calibration.location_and_scale(self._background[:, of], corrected[of])

    def reading(self, scores: NDArray[np.floating], m: int) -> Reading:
        """How model m's score of these (M,) was read."""
        group = int(self._groups[m])
        corrected = calibration.without_hubs(scores, self._bias)
        location, spread = self._measure(group, corrected)
        taken_off = -calibration.without_hubs(np.zeros_like(self._bias), self._bias)
        usual = float(np.median(taken_off[self._groups == group]))
        hub, z = float(taken_off[m]) - usual, (float(corrected[m]) - location) / spread
        return Reading(float(scores[m]), location + usual, spread, hub, z)


class Answering:
    """Answers requirements from a gallery; what it works out about the gallery is kept for the next query."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._experts = Experts(gallery)
        self._banks: dict[Modality, Bank] = {}
        self._yardsticks: dict[tuple[str, Modality], Yardstick] = {}

    def answer(self, requirement: Requirement, method: str = "auto") -> Answer:
        """One requirement under one method; `auto` adds up those that suit the modality, and the authors' words."""
        if method != "auto":
            return self._measured(requirement, method)
        weights = self.weights(requirement.modality, requirement.style, prompted=requirement.prompt is not None)
        measured = added([(self._measured(requirement, name), weight) for name, weight in weights.items()])
        return self._with_words(requirement, measured) if requirement.modality is Modality.TEXT else measured

    def each(self, asked: Asked, method: str) -> NDArray[np.floating]:
        """z (T, M) of separate pictures or sketches under one method."""
        yardstick = self._yardstick(method, asked.modality)
        return np.stack([yardstick.answer(scores).z for scores in self._experts(method, asked)])

    def weights(self, modality: Modality, style: float | None = None, *, prompted: bool = False) -> dict[str, float]:
        """What `auto` adds up; pictures ask for a `style` as well, and by their prompt where it is told."""
        weights = {self._or_learned(modality, name): weight for name, weight in AUTO[modality].items()}
        if modality is not Modality.IMAGE:
            return weights
        weights |= PROMPTED if prompted else {}
        style = STYLE_SHARE if style is None else style
        mixed = {name: weight * (1 - style) for name, weight in weights.items()} | {"style": style}
        return {name: weight for name, weight in mixed.items() if weight}

    def _or_learned(self, modality: Modality, method: str) -> str:
        """The learned form of a method, if there is one that beat the plain one on models it had not seen."""
        learned, matching = LEARNED_INSTEAD.get((modality, method)), self._gallery.matching
        if learned is None or matching is None:
            return method
        return method if matching.matrix(modality, learned.removeprefix("learned_")) is None else learned

    def _measured(self, requirement: Requirement, method: str) -> Answer:
        scores = self._experts(method, Asked.of(requirement)).mean(axis=0)
        yardstick = self._yardstick(method, requirement.modality)
        part = Part(method=method, weight=1.0, scores=scores, yardstick=yardstick)
        return replace(yardstick.answer(scores), parts=(part,))

    def _yardstick(self, method: str, modality: Modality) -> Yardstick:
        key = method, modality
        if key not in self._yardsticks:
            of_style = method == "style"
            queries = self._queries(method, modality)
            background = queries.masked(self._experts(method, Asked.of_bank(queries, modality)))
            groups = self._gallery.styles.groups if of_style else self._gallery.groups
            self._yardsticks[key] = Yardstick(background, groups, always_correct=of_style)  # CSLS (METHODS, section 7)
        return self._yardsticks[key]

    def _queries(self, method: str, modality: Modality) -> Bank:
        """Unrelated ones. Networks of their own look at pictures for style and for layout."""
        if modality is Modality.IMAGE and method == "style":
            return self._gallery.styles.bank
        if modality is Modality.IMAGE and method == "spatial":
            return self._gallery.mapped_layouts.bank
        return self._bank(modality)

    def _bank(self, modality: Modality) -> Bank:
        if modality not in self._banks:
            self._banks[modality] = bank(self._gallery, modality)
        return self._banks[modality]

    def _with_words(self, requirement: Requirement, measured: Answer) -> Answer:
        """Fused with what the authors wrote of their models, where they did (METHODS, section 8b)."""
        scores = self._words(requirement.h)[0]
        words = self._words_yardstick.answer(scores)
        part = Part(method="words", weight=WORDS_WEIGHT, scores=scores, yardstick=self._words_yardstick)
        parts = (*measured.parts, part)
        return Answer(fuse(measured.z, words.z), fuse(measured.bank_z, words.bank_z), parts)

    @cached_property
    def _words_yardstick(self) -> Yardstick:
        queries = self._bank(Modality.TEXT)
        return Yardstick(queries.masked(self._words(queries.h)), np.zeros(len(self._gallery), np.intp))

    def _words(self, h: NDArray[np.floating]) -> NDArray[np.floating]:
        """(T, M): cosine of a text with the nearest of an author's texts. NaN for a model without words, and for one
        that is known by its words alone, which has no second opinion."""
        words = self._gallery.words
        scores = np.full((len(h), len(self._gallery)), np.nan)
        told = np.flatnonzero(np.diff(words.offsets) > 0)
        if len(told):
            offsets = np.append(words.offsets[told], words.offsets[-1])
            scores[:, told] = content.best_k(words.Z, offsets, h, k=1)
        scores[:, self._gallery.only_words] = np.nan
        return scores


def added(answers: Sequence[tuple[Answer, float]], *, unrelated: bool = False) -> Answer:
    """A product of experts: the models' z and the bank's alike. `unrelated` inputs meet different queries of the bank;
    so do banks that are not of the same queries."""
    B = max(len(answer.bank_z) for answer, _ in answers)
    banks = [
        (_paired(answer.bank_z, B, turn if unrelated else 0), weight) for turn, (answer, weight) in enumerate(answers)
    ]
    length = np.linalg.norm([weight for _, weight in answers])
    parts = [replace(part, weight=part.weight * weight / length) for a, weight in answers for part in a.parts]
    return Answer(combine([(answer.z, weight) for answer, weight in answers]), combine(banks), tuple(parts))


def _paired(bank_z: NDArray[np.floating], B: int, turn: int) -> NDArray[np.floating]:
    """B rows: as they are, shuffled for a later turn, or drawn where there are fewer."""
    rng = np.random.default_rng(SEED + turn)
    if len(bank_z) == B:
        return rng.permutation(bank_z) if turn else bank_z
    return bank_z[rng.integers(0, len(bank_z), B)]


ALL_METHODS = ("auto", *METHODS)
