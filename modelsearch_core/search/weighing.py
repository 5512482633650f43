"""Models of different evidence in one list: what is known by a name or a preview counts by what it is worth
(docs/methods.md 12), beside what was measured; and queries that are unusual for all models alike are centred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection, Samples
from ..collection.entries import EVIDENCE_ORDER
from ..embedding import unit
from ..scores import content, evidence
from ..specification import Evidence, Modality
from ..statistics import Statistics
from .banks import Queries
from .yardstick import Unrelated

Scores = NDArray[np.floating]
Usual = NDArray[np.floating]  # (..., levels): the mean score of a query for models of each evidence

# Of words, before a collection has models with both; by docs/results_trust.md.
WORDS = {Modality.TEXT: 0.5, Modality.IMAGE: 0.3, Modality.SKETCH: 0.2, Modality.MODEL: 0.3}
# How much of what all models get alike is taken off: how a thing is worded or drawn moves their scores at once; whether
# a picture is like anything here is also what it says. By docs/results_trust.md.
CENTRED = {Modality.TEXT: 1.0, Modality.SKETCH: 1.0, Modality.IMAGE: 0.4}
SAME_WORDS = 0.999  # cosine from which on a text is an author's own: no guess


class Line(NamedTuple):
    """slope·z + shift, (..., C)."""

    slope: Scores
    shift: Scores

    def of(self, z: Scores) -> Scores:
        return self.slope * z + self.shift


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """Of one modality. `rho` (M,): what the evidence of each model is worth, 1 where it is the best that there is;
    `levels` (M,): which evidence that is, and `reference` the best of them. `ratios` (levels,): σ/σ_e."""

    rho: Scores
    levels: NDArray[np.intp]
    reference: int
    ratios: Scores
    centred: float

    @property
    def is_plain(self) -> bool:
        """Whether scores are what is expected."""
        return not self.centred and bool((self.levels == self.reference).all())

    def usual(self, z: Scores, levels: NDArray[np.intp]) -> Usual:
        """Of scores (..., C) of models of these levels; few models say little of what is usual."""
        found = np.zeros((*z.shape[:-1], len(EVIDENCE_ORDER)))
        for level in np.unique(levels):
            of = z[..., levels == level]
            known = np.isfinite(of)
            total, n = np.where(known, of, 0).sum(axis=-1), known.sum(axis=-1)
            found[..., level] = total / (n + evidence.FEW)
        return found

    def line(self, models: NDArray[np.intp], usual: Usual, rho: Scores | None = None) -> Line:
        """By which expected scores (..., C) of these models come of their scores; `rho` (C,) in place of their own."""
        levels, rho = self.levels[models], self.rho[models] if rho is None else rho
        of_best = usual[..., self.reference, None]
        known = {"usual_e": usual[..., levels], "usual": of_best, "ratio": self.ratios[levels]}
        measured = levels == self.reference
        shift = np.where(measured, 0, evidence.expected(0.0, rho, **known))
        slope = np.where(measured, 1, rho * self.ratios[levels])
        return Line(slope, shift - self.centred * of_best)

    def weighed(self, z: Scores, models: NDArray[np.intp]) -> Scores:
        """Expected scores of models that are all that there are, or a sample of them."""
        return self.line(models, self.usual(z, self.levels[models])).of(z)

    def unrelated(self, of: Unrelated, models: NDArray[np.intp]) -> Unrelated:
        """The same of the bank's queries and the models that were sampled."""
        return replace(of, z=np.asarray(self.weighed(of.z, models), np.float32))


def weighing(
    statistics: Statistics, modality: Modality, bank: Queries, of: Unrelated, models: NDArray[np.intp]
) -> Weighing:
    """By what the bank's queries got from the sampled models."""
    collection = statistics.collection
    levels = collection.levels
    reference = int(levels.min(initial=0))
    spreads = np.ones(len(EVIDENCE_ORDER))
    for level in np.unique(levels[models]):
        spreads[level] = evidence.spread(of.z[:, levels[models] == level])
    rho = np.ones(len(levels))
    for level in np.unique(levels[levels != reference]):
        rho[levels == level] = _worth(statistics, modality, bank, EVIDENCE_ORDER[level])[levels == level]
    return Weighing(
        rho=rho,
        levels=levels,
        reference=reference,
        ratios=spreads[reference] / spreads,
        centred=CENTRED.get(modality, 0.0),
    )


def _worth(statistics: Statistics, modality: Modality, bank: Queries, of: Evidence) -> Scores:
    """(M,) ρ of an evidence, as a default says and the models that have better evidence, too."""
    collection = statistics.collection
    beside = collection.words if of is Evidence.METADATA else collection.beside(of)
    both = np.flatnonzero((beside.counts > 0) & (collection.levels == collection.levels.min()))
    default = WORDS[modality] if of.worth is None else of.worth
    share = evidence.of_pictures(_samples(collection), 1.0) if of.is_seen else np.ones(len(collection))
    if not len(both):
        return default * share
    queries = _words_of_others(beside, both) if modality is Modality.TEXT else bank
    of_both = beside.some(both)
    cheap = content.first_moment(unit(content.means(of_both.Z, of_both.offsets)), queries.h)
    best = content.first_moment(unit(statistics.own_means[both]), queries.h)
    found = evidence.worth(queries.masked(cheap, both), queries.masked(best, both))
    if of.is_seen:
        found /= float(evidence.of_pictures(of_both.counts, 1.0).mean())
    return evidence.pulled(found, len(both), default) * share


def _samples(collection: Collection) -> NDArray[np.intp]:
    return np.array([entry.samples for entry in collection.entries], np.intp)


def _words_of_others(words: Samples, models: NDArray[np.intp]) -> Queries:
    """What authors say, as queries about the other models: generic names tell no look from another."""
    of = words.some(models)
    return Queries(modality=Modality.TEXT, h=of.Z, owner=models[of.owners()])


def same_words(cosines: Scores, rho: Scores) -> Scores:
    """ρ (C,) of words by the cosine of a text with the nearest of them: the author's very words are no guess."""
    return np.where(np.nan_to_num(cosines, nan=-1.0) >= SAME_WORDS, 1.0, rho)
