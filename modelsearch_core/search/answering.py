"""Standardised scores, so that methods, modalities, kinds and evidence can be added up and stand in one list.

A score is compared with what unrelated queries of its modality get (`banks`): 0 is an average unrelated query's score
for a model of the same evidence and kind, 1 is one standard deviation better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..ranking import combine, fuse
from ..scores import calibration, content
from ..specification import Modality, Requirement
from .banks import SEED, Bank, bank
from .experts import METHODS, Asked, Experts
from .gallery import Gallery

AUTO: dict[Modality, dict[str, float]] = {
    Modality.TEXT: {"first_moment": 0.5, "paired_difference": 0.5},
    Modality.IMAGE: {"gaussian": 0.5, "paired_difference": 0.5},
    Modality.SKETCH: {"first_moment": 0.5, "drawn_first_moment": 0.5},
    Modality.MODEL: {"first_moment": 0.5, "paired_difference": 0.5},
}


@dataclass(frozen=True)
class Answer:
    """z of all models for one requirement, and of the bank's queries for comparison."""

    z: NDArray[np.floating]  # (M,)
    bank_z: NDArray[np.floating]  # (B, M)


class Answering:
    """Answers requirements from a gallery; what it works out about the gallery is kept for the next query."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._experts = Experts(gallery)
        self._banks: dict[Modality, Bank] = {}
        self._bank_scores: dict[tuple[str, Modality], NDArray[np.floating]] = {}

    def answer(self, requirement: Requirement, method: str = "auto") -> Answer:
        """One requirement under one method; `auto` adds up those that suit the modality, and the authors' words."""
        if method != "auto":
            return self._measured(requirement, method)
        weights = AUTO[requirement.modality]
        measured = added([(self._measured(requirement, name), weight) for name, weight in weights.items()])
        return self._with_words(requirement, measured) if requirement.modality is Modality.TEXT else measured

    def _measured(self, requirement: Requirement, method: str) -> Answer:
        scores = self._experts(method, Asked.of(requirement)).mean(axis=0, keepdims=True)
        return self._standardised(scores, self._background(method, requirement.modality), self._gallery.groups)

    def _background(self, method: str, modality: Modality) -> NDArray[np.floating]:
        key = method, modality
        if key not in self._bank_scores:
            if modality not in self._banks:
                self._banks[modality] = bank(self._gallery, modality)
            queries = self._banks[modality]
            self._bank_scores[key] = queries.masked(self._experts(method, Asked.of_bank(queries, modality)))
        return self._bank_scores[key]

    def _standardised(
        self, scores: NDArray[np.floating], background: NDArray[np.floating], groups: NDArray[np.integer]
    ) -> Answer:
        if len(background) and calibration.when_to_correct(background):
            bias = calibration.hub_bias(background)
            scores, background = calibration.without_hubs(scores, bias), calibration.without_hubs(background, bias)
        z = calibration.standardise(scores, background, groups)[0]
        return Answer(z, calibration.standardise(background, background, groups))

    def _with_words(self, requirement: Requirement, measured: Answer) -> Answer:
        """Fused with what the authors wrote of their models, where they did (METHODS, section 8b)."""
        queries = self._banks[Modality.TEXT]
        background = queries.masked(self._words(queries.h))
        words = self._standardised(self._words(requirement.h), background, np.zeros(len(self._gallery), np.intp))
        return Answer(fuse(measured.z, words.z), fuse(measured.bank_z, words.bank_z))

    def _words(self, h: NDArray[np.floating]) -> NDArray[np.floating]:
        """(T, M): cosine of a text with the nearest of an author's texts; NaN for a model that is found by its words
        alone, which has no second opinion, and for one without words."""
        words = self._gallery.words
        scores = np.full((len(h), len(self._gallery)), np.nan)
        told = np.flatnonzero(np.diff(words.offsets) > 0)
        if len(told):
            offsets = np.append(words.offsets[told], words.offsets[-1])
            scores[:, told] = content.best_k(words.Z, offsets, h, k=1)
        scores[:, self._gallery.only_words] = np.nan
        return scores


def added(answers: Sequence[tuple[Answer, float]]) -> Answer:
    """A product of experts: the models' z and the bank's alike. Banks of different queries are paired by chance."""
    B = max(len(answer.bank_z) for answer, _ in answers)
    banks = [(_paired(answer.bank_z, B, turn), weight) for turn, (answer, weight) in enumerate(answers)]
    return Answer(combine([(answer.z, weight) for answer, weight in answers]), combine(banks))


def _paired(bank_z: NDArray[np.floating], B: int, turn: int) -> NDArray[np.floating]:
    if len(bank_z) == B:
        return bank_z
    return bank_z[np.random.default_rng(SEED + turn).integers(0, len(bank_z), B)]


ALL_METHODS = ("auto", *METHODS)
