"""By what scores of a collection's models are measured: banks of unrelated queries, yardsticks, and what is taken off.

What is worked out is kept for the next query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..scores import calibration, content
from ..specification import Modality
from ..statistics import Statistics
from .banks import SEED, Queries, bank, bank_of_layouts, bank_of_styles, without
from .measured import Measured
from .methods import METHODS, Judges, Reads
from .yardstick import Kin, Measures, Models, Taken, Yardstick, sampled

WORDS = "words"  # what authors wrote, beside the methods
FEW = 64  # models of each evidence that say what is usual for a query, where all would have to be read
BLOCK = 512  # models that are measured at once
MOST_AT_ONCE = 8  # pictures of one model, from which on more make no difference to what is usual


class Measuring:
    """Of one collection. `stored` are yardsticks that indexing has prepared."""

    def __init__(self, statistics: Statistics, stored: Measured | None = None) -> None:
        self._statistics = statistics
        self._collection = statistics.collection
        self._stored = stored
        self.sampled = sampled(self._collection) if stored is None else stored.sampled
        self._banks: dict[str, Queries] = {}
        self._yardsticks: dict[tuple[str, Modality, int], Yardstick] = {}
        self._of_all: Judges | None = None
        self._of_sampled: Judges | None = None
        self._folds: dict[int, Judges] = {}

    def judges(self, models: Models | None = None) -> Judges:
        """Of these models; of all, kept for the next query, where none are named."""
        if models is not None and len(models) < len(self._collection):
            return Judges(self._statistics, models)
        if self._of_all is None:
            judges = Judges(self._statistics, self._collection.all)
            if not self._collection.is_small:
                return judges
            self._of_all = judges
        return self._of_all

    def scores(
        self, method: str, queries: Queries, judges: Judges, by: Callable[..., NDArray[np.floating]] | None = None
    ) -> NDArray[np.floating]:
        """(T, C) by the method itself, or as `by` computes them. How far a sketch's scores are spread says how it was
        drawn, not what: each one's are in units of that."""
        by = by or (lambda method, queries, judges: judges(method, queries))
        scores = by(method, queries, judges)
        if queries.modality is not Modality.SKETCH:
            return scores
        some = self._some_of_best
        places = np.searchsorted(judges.models, some.models).clip(max=len(judges.models) - 1)
        is_among = np.array_equal(judges.models[places], some.models)
        others = scores[:, places] if is_among else by(method, queries, some)
        return calibration.test_normed(scores, queries.masked(others, some.models))

    @cached_property
    def some(self) -> Judges:
        """Always the same few models of each evidence."""
        few = [self._few(level) for level in np.unique(self._collection.levels[self.sampled])]
        return Judges(self._statistics, np.sort(np.concatenate([np.empty(0, np.intp), *few])))

    @cached_property
    def _some_of_best(self) -> Judges:
        """Those of the best evidence."""
        return Judges(self._statistics, np.sort(self._few(int(self._collection.levels.min(initial=0)))))

    def _few(self, level: int) -> Models:
        order = np.random.default_rng(SEED + 5).permutation(self.sampled)
        return order[self._collection.levels[order] == level][:FEW]

    def yardstick(self, method: str, modality: Modality, several: int = 1) -> Yardstick:
        """For `several` pictures or sketches at once."""
        key = method, modality, min(several, MOST_AT_ONCE)
        if key not in self._yardsticks:
            measures, owner = self.measures(method, modality), self._queries(method, modality).owner
            if key[2] > 1 and owner is not None:
                measures = measures.of_several(owner, key[2], self._groups(method)[self.sampled], self._kin(method))
            self._yardsticks[key] = Yardstick(
                measures,
                self._groups(method),
                models=self.sampled,
                bias_of=lambda models: self._bias(method, modality, models),
            )
        return self._yardsticks[key]

    def _groups(self, method: str) -> NDArray[np.intp]:
        return self._statistics.styles.groups if method == "style" else self._collection.groups

    def measures(self, method: str, modality: Modality) -> Measures:
        """By what the bank's queries get from the sampled models."""
        name = f"{modality.value}.{method}"
        if self._stored is not None and name in self._stored.measures:
            return self._stored.measures[name]
        if self._of_sampled is None:
            whole = len(self.sampled) == len(self._collection)
            self._of_sampled = self.judges(None if whole else self.sampled)
        queries = self._queries(method, modality)
        scores = self.scores(method, queries, self._of_sampled, self._scores_of_bank)
        bank_scores = queries.masked(scores, self.sampled)
        # hubs are taken off styles whatever the skewness (docs/methods.md 7)
        correct = True if method == "style" else None
        groups, usual = self._groups(method)[self.sampled], _unlike(method, modality)
        return Measures.of(bank_scores, groups, kin=self._kin(method), correct=correct, usual=usual)

    def _kin(self, method: str) -> Kin | None:
        """Kinds that were asked the same probes are clouds in one space; styles have groups of their own."""
        if method == "style":
            return None
        groups, counts = np.unique(self._collection.groups, return_counts=True)
        sizes = dict(zip(groups.tolist(), counts.tolist(), strict=True))
        return Kin(self._collection.levels[self.sampled], sizes)

    def _scores_of_bank(self, method: str, queries: Queries, judges: Judges) -> NDArray[np.floating]:
        """(B, n): of these models, each query against those of their samples that answer other prompts."""
        if queries.folds is None or not METHODS[method].reads_rows:
            return judges(method, queries)
        scores = np.empty((len(queries), len(judges.models)))
        for fold in np.unique(queries.folds):
            of = np.flatnonzero(queries.folds == fold)
            unlike = judges if fold < 0 else self._without(int(fold), judges)
            scores[of] = unlike(method, queries.some(of))
        return scores

    def _without(self, fold: int, judges: Judges) -> Judges:
        """These models without what answers the prompts of a fold; the sampled ones are kept."""
        if judges is self._of_sampled and fold in self._folds:
            return self._folds[fold]
        part = without(self._collection, judges.models, fold)
        found = Judges(Statistics(part, matching=self._statistics.matching), judges.models)
        if judges is self._of_sampled:
            self._folds[fold] = found
        return found

    def _bias(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        """(C,): what is taken off models that were not sampled. What is usual of those that indexing has not measured
        is taken to be as their group's, rather than that an answer waits for it."""
        are_hubs = self.measures(method, modality).rule is Taken.HUBS
        worked_out = self._worked_out_bias if are_hubs else self._bias_of_groups
        return self._stored_bias(
            f"{modality.value}.{method}", models, lambda unknown: worked_out(method, modality, unknown)
        )

    def _stored_bias(
        self, name: str, models: Models, worked_out: Callable[[Models], NDArray[np.floating]]
    ) -> NDArray[np.floating]:
        """(C,) as stored, else worked out."""
        stored = self._stored.biases.get(name) if self._stored is not None else None
        bias = np.full(len(models), np.nan) if stored is None else stored[models]
        unknown = np.flatnonzero(np.isnan(bias))
        if len(unknown):
            bias[unknown] = worked_out(models[unknown])
        return bias

    def _bias_of_groups(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        known, groups = self.measures(method, modality).bias, self._groups(method)
        if known is None:
            return np.zeros(len(models))
        of = {group: np.median(known[groups[self.sampled] == group]) for group in np.unique(groups[self.sampled])}
        return np.array([of[group] for group in groups[models]])

    def _worked_out_bias(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        queries, judges = self._queries(method, modality), Judges(self._statistics, models)
        scores = self.scores(method, queries, judges, self._scores_of_bank)
        off = self.measures(method, modality).rule.off(queries.masked(scores, models))
        return np.zeros(len(models)) if off is None else off

    def _all_biases(self, method: str, modality: Modality) -> NDArray[np.floating] | None:
        """(M,): of sampled models as it is, of others block by block; None where nothing is taken off."""
        known = self.measures(method, modality).bias
        if known is None:
            return None
        bias, others = np.empty(len(self._collection)), np.setdiff1d(self._collection.all, self.sampled)
        bias[self.sampled] = known
        bias[others] = self._of_blocks(lambda block: self._worked_out_bias(method, modality, block), others)
        return bias

    def _of_blocks(
        self, of: Callable[[Models], NDArray[np.floating]], models: Models | None = None
    ) -> NDArray[np.floating]:
        models = self._collection.all if models is None else models
        blocks = [of(models[start : start + BLOCK]) for start in range(0, len(models), BLOCK)]
        return np.concatenate([np.empty(0), *blocks])

    def _queries(self, method: str, modality: Modality) -> Queries:
        """Unrelated ones. Networks of their own look at pictures for style and for layout."""
        return self.bank(method if modality is Modality.IMAGE and method in _OWN_BANKS else modality.value, modality)

    def bank(self, name: str, modality: Modality) -> Queries:
        if name not in self._banks:
            stored = self._stored.banks.get(name) if self._stored is not None else None
            own = _OWN_BANKS.get(name)
            self._banks[name] = stored or (bank(self._statistics, modality) if own is None else own(self._statistics))
        return self._banks[name]

    def prepared(self, used: Sequence[tuple[str, Modality]]) -> Measured:
        """What these methods' answers are measured by, to be stored."""
        measures = {f"{modality.value}.{method}": self.measures(method, modality) for method, modality in used}
        measures[f"text.{WORDS}"] = self._measures_of_words()
        biases = {f"{modality.value}.{method}": self._all_biases(method, modality) for method, modality in used}
        if self.words_yardstick().corrected:
            biases[f"text.{WORDS}"] = self._of_blocks(self._bias_of_words)
        return Measured.of(
            self._collection,
            self.sampled,
            measures=measures,
            biases=biases,
            banks={name: queries for name, queries in self._banks.items() if name in ("image", "sketch")},
        )

    # the authors' words

    def words_yardstick(self) -> Yardstick:
        key = WORDS, Modality.TEXT, 1
        if key not in self._yardsticks:
            together = np.zeros(len(self._collection), np.intp)
            measures = self._stored.measures.get(f"text.{WORDS}") if self._stored is not None else None
            self._yardsticks[key] = Yardstick(
                measures or self._measures_of_words(), together, models=self.sampled, bias_of=self._bias_of_words
            )
        return self._yardsticks[key]

    def _measures_of_words(self) -> Measures:
        queries = self.bank(Modality.TEXT.value, Modality.TEXT)
        bank_scores = queries.masked(self.words(queries.h, self.sampled), self.sampled)
        return Measures.of(bank_scores, np.zeros(len(self.sampled), np.intp))

    def _bias_of_words(self, models: Models) -> NDArray[np.floating]:
        h = self.bank(Modality.TEXT.value, Modality.TEXT).h

        def worked_out(unknown: Models) -> NDArray[np.floating]:
            off = Taken.HUBS.off(self.words(h, unknown))
            return np.zeros(len(unknown)) if off is None else off

        return self._stored_bias(f"text.{WORDS}", models, worked_out)

    def words(self, h: NDArray[np.floating], models: Models) -> NDArray[np.floating]:
        """(T, C): cosine of a text with the nearest of an author's texts. NaN for a model without words."""
        words = self._collection.words
        scores = np.full((len(h), len(models)), np.nan)
        known = np.flatnonzero(words.counts[models] > 0)
        if len(known):
            some = words.some(models[known]) if len(models) < len(words) else words
            offsets = np.append(some.offsets[:-1][some.counts > 0], some.offsets[-1])
            scores[:, known] = content.best_k(some.Z, offsets, h, k=1)
        return scores


_OWN_BANKS = {
    "style": lambda statistics: bank_of_styles(statistics.styles),
    "spatial": lambda statistics: bank_of_layouts(statistics.mapped_layouts),
}


def _unlike(method: str, modality: Modality) -> bool:
    """Whether what models usually get is taken off them: of texts and pictures it brings the right one forward, of
    sketches it does not (docs/results_trust.md)."""
    return modality in (Modality.TEXT, Modality.IMAGE) and METHODS[method].reads not in (Reads.STYLES, Reads.LAYOUTS)
