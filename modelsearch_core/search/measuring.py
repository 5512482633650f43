"""By what scores of a collection's models are measured: banks of unrelated queries, yardsticks, and what is taken off.

What is worked out is kept for the next query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import nearest
from ..embedding import Features
from ..scores import calibration, content
from ..specification import Modality, Requirement
from ..statistics import Statistics
from .apart import Apart
from .auto import shares
from .banks import SEED, Queries, bank, bank_of_layouts, bank_of_styles
from .measured import Measured
from .methods import METHODS, Judges, Reads
from .yardstick import Kin, Measures, Models, Taken, Yardstick, sampled

WORDS = "words"  # what authors wrote, beside the methods
FEW = 64  # models of each evidence that say what is usual for a query, where all would have to be read
BLOCK = 256  # models that are measured at once
MOST_AT_ONCE = 8  # pictures of one model, from which on more make no difference to what is usual

Use = tuple[str, Modality]  # a method, and what it is asked by


class Measuring:
    """Of one collection. `stored` are yardsticks that indexing has prepared."""

    def __init__(
        self,
        statistics: Statistics,
        stored: Measured | None = None,
        as_asked: Callable[[Queries], Queries] | None = None,
    ) -> None:
        """`as_asked` draws the bank's sketches as users' are asked."""
        self._statistics = statistics
        self._as_asked = as_asked
        self._collection = statistics.collection
        self._stored = stored
        self.sampled = sampled(self._collection) if stored is None else stored.sampled
        self._banks: dict[str, Queries] = {}
        self._alikes: dict[Modality, tuple[Features, float]] = {}
        self._yardsticks: dict[tuple[str, Modality, int], Yardstick] = {}
        self._of_all: Judges | None = None
        self._measured: dict[Use, Measures] = {}
        self._of_few: dict[Use, NDArray[np.floating]] = {}

    def judges(self, models: Models | None = None) -> Judges:
        """Of these models; of all, kept for the next query, where none are named."""
        if models is not None and len(models) < len(self._collection):
            return Judges(self._statistics, models, again=True)
        if self._of_all is None:
            judges = Judges(self._statistics, self._collection.all)
            if not self._collection.is_small:
                return judges
            self._of_all = judges
        return self._of_all

    def scores(self, method: str, queries: Queries, judges: Judges) -> NDArray[np.floating]:
        """(T, C). How far a sketch's scores are spread says how it was drawn, not what: each one's are in units of
        that."""
        scores = judges(method, queries)
        if queries.modality is not Modality.SKETCH:
            return scores
        some = self._some_of_best
        places = np.searchsorted(judges.models, some.models).clip(max=len(judges.models) - 1)
        is_among = np.array_equal(judges.models[places], some.models)
        others = scores[:, places] if is_among else some(method, queries)
        return calibration.test_normed(scores, queries.masked(others, some.models))

    @property
    def by_columns(self) -> Judges:
        """Who says what is usual for a query by columns: all models, the sampled ones of very many."""
        return self.judges() if len(self._collection) <= nearest.MANY else self._of_sampled

    @cached_property
    def _of_sampled(self) -> Judges:
        return Judges(self._statistics, self.sampled)

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
            measures, owner = self.measures(method, modality), self._queries(method, modality).heads.owner
            if key[2] > 1 and owner is not None:
                measures = measures.of_several(owner, key[2], self._groups(method)[self.sampled], self._kin(method))
            self._yardsticks[key] = Yardstick(
                measures,
                self._groups(method),
                models=self.sampled,
                biases=self._known_biases(_name(method, modality)),
                bias_of=lambda models: self._bias(method, modality, models),
            )
        return self._yardsticks[key]

    def as_many(self, requirement: Requirement) -> int:
        """As how many of the bank's pictures of one model a requirement's count together."""
        h = requirement.h[:: requirement.views]
        if len(h) < 2 or requirement.modality not in (Modality.IMAGE, Modality.SKETCH):
            return len(h)
        middle, share = self._alike(requirement.modality)
        return len(h) if np.isnan(share) else round(min(calibration.as_many(h, share, middle), MOST_AT_ONCE))

    def _alike(self, modality: Modality) -> tuple[Features, float]:
        """The middle of the bank's pictures, and what those of one model share."""
        if modality not in self._alikes:
            of = self.bank(modality.value, modality).heads
            middle = of.h.mean(axis=0) if len(of) else np.zeros(self._collection.dimension)
            share = np.nan if of.owner is None else calibration.owners_share(of.h, of.owner, middle)
            self._alikes[modality] = middle, share
        return self._alikes[modality]

    def _groups(self, method: str) -> NDArray[np.intp]:
        return self._statistics.styles.groups if method == "style" else self._collection.groups

    def measures(self, method: str, modality: Modality) -> Measures:
        """By what the bank's queries get from the sampled models."""
        name, use = _name(method, modality), (method, modality)
        if self._stored is not None and name in self._stored.measures:
            return self._stored.measures[name]
        if use not in self._measured:
            self._measured |= self._measured_with(use)
        return self._measured[use]

    def _measured_with(self, use: Use) -> dict[Use, Measures]:
        """Of many models, with those methods that are asked with it, so that their samples are read once."""
        if self._collection.is_small or not METHODS[use[0]].reads_rows:
            return {use: self._measures_of(*use, self._bank_scores([use], self._sampled_apart)[0])}
        reading = [method for method in shares(use[1], self._statistics.matching) if METHODS[method].reads_rows]
        return self._all_measures([(method, use[1]) for method in dict.fromkeys([use[0], *reading])])

    def _measures_of(self, method: str, modality: Modality, bank_scores: NDArray[np.floating]) -> Measures:
        """Of the bank's scores (B, n) for the sampled models."""
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

    # what the banks' queries get

    @cached_property
    def _sampled_apart(self) -> Apart:
        """What was read of the sampled models is kept for the next method, where it is little."""
        whole = len(self.sampled) == len(self._collection)
        judges = self.judges() if whole else self._of_sampled
        return Apart(self._collection, judges, keeps=self._collection.is_small)

    def _bank_scores(self, uses: Sequence[Use], of: Apart) -> list[NDArray[np.floating]]:
        """(B, n) each: of these models, NaN from a query's own."""
        pairs = [(method, self._queries(method, modality)) for method, modality in uses]
        found: list[NDArray[np.floating]] = []
        for (method, queries), scores in zip(pairs, of.scores(pairs), strict=True):
            as_asked = self._of_sketches(method, queries, scores) if queries.modality is Modality.SKETCH else scores
            found.append(queries.heads.masked(as_asked, of.models))
        return found

    def _of_sketches(self, method: str, queries: Queries, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """(B, n): in units of their spread, and views of one as one, as a user's sketch is asked."""
        few = self._from_few(method, queries)
        normed, of_few = calibration.test_normed(scores, few), calibration.test_normed(few, few)
        return calibration.of_views(normed, queries.views, of_few)

    def _from_few(self, method: str, queries: Queries) -> NDArray[np.floating]:
        """(B·V, n): what views of the bank's sketches get from the few of the best evidence, NaN from their own."""
        key = method, queries.modality
        if key not in self._of_few:
            few = Apart(self._collection, self._some_of_best, keeps=False)
            self._of_few[key] = queries.masked(few.scores([(method, queries)])[0], few.models)
        return self._of_few[key]

    # what is taken off

    def _bias(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        """(C,): what is taken off models of which indexing has not stored it. What is usual is taken to be as their
        group's, rather than that an answer waits for it."""
        are_hubs = self.measures(method, modality).rule is Taken.HUBS
        return (self._worked_out_bias if are_hubs else self._bias_of_groups)(method, modality, models)

    def _known_biases(self, name: str) -> NDArray[np.floating] | None:
        """(M,) as stored, NaN of those that have come since."""
        return None if self._stored is None else self._stored.biases.get(name)

    def _bias_of_groups(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        known, groups = self.measures(method, modality).bias, self._groups(method)
        if known is None:
            return np.zeros(len(models))
        distinct, place = np.unique(groups[models], return_inverse=True)
        return np.array([np.median(known[groups[self.sampled] == group]) for group in distinct])[place]

    def _worked_out_bias(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        """Block by block, however many they are."""
        rule, bias = self.measures(method, modality).rule, np.zeros(len(models))
        for places in _blocks(np.arange(len(models))):
            bank_scores = self._bank_scores([(method, modality)], self._apart(models[places]))[0]
            off = rule.off(bank_scores)
            bias[places] = 0 if off is None else off
        return bias

    def _apart(self, models: Models) -> Apart:
        return Apart(self._collection, Judges(self._statistics, models), keeps=False)

    def _all_biases(self, measures: Mapping[Use, Measures]) -> dict[Use, NDArray[np.floating]]:
        """(M,) where anything is taken off: of sampled models as it is, of others block by block."""
        rules = {use: of.rule for use, of in measures.items() if of.bias is not None}
        biases: dict[Use, NDArray[np.floating]] = {use: np.zeros(len(self._collection)) for use in rules}
        for use, bias in biases.items():
            bias[self.sampled] = measures[use].bias
        for block in _blocks(np.setdiff1d(self._collection.all, self.sampled)):
            of_all = self._bank_scores(list(rules), self._apart(block))
            for (use, rule), bank_scores in zip(rules.items(), of_all, strict=True):
                biases[use][block] = rule.off(bank_scores)
        return biases

    def _all_measures(self, uses: Sequence[Use]) -> dict[Use, Measures]:
        """By the sampled models, of whom each block is read once for all methods."""
        parts = [self._bank_scores(uses, self._apart(block)) for block in _blocks(self.sampled)]
        of_all = [np.concatenate(of, axis=1) for of in zip(*parts, strict=True)]
        return {use: self._measures_of(*use, bank_scores) for use, bank_scores in zip(uses, of_all, strict=True)}

    def _queries(self, method: str, modality: Modality) -> Queries:
        """Unrelated ones. Networks of their own look at pictures for style and for layout."""
        return self.bank(method if modality is Modality.IMAGE and method in _OWN_BANKS else modality.value, modality)

    def bank(self, name: str, modality: Modality) -> Queries:
        if name not in self._banks:
            stored = self._stored.banks.get(name) if self._stored is not None else None
            own = _OWN_BANKS.get(name)
            made = stored or (bank(self._statistics, modality) if own is None else own(self._statistics))
            if stored is None and modality is Modality.SKETCH and self._as_asked is not None:
                made = self._as_asked(made)
            self._banks[name] = made
        return self._banks[name]

    def prepared(self, uses: Sequence[Use]) -> Measured:
        """What these methods' answers are measured by, to be stored."""
        of = self._all_measures(uses)
        measures = {_name(*use): measured for use, measured in of.items()}
        measures[f"text.{WORDS}"] = self._measures_of_words()
        biases = {_name(*use): bias for use, bias in self._all_biases(of).items()}
        if measures[f"text.{WORDS}"].bias is not None:
            biases[f"text.{WORDS}"] = np.concatenate(
                [self._bias_of_words(block) for block in _blocks(self._collection.all)]
            )
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
                measures or self._measures_of_words(),
                together,
                models=self.sampled,
                biases=self._known_biases(f"text.{WORDS}"),
                bias_of=self._bias_of_words,
            )
        return self._yardsticks[key]

    def _measures_of_words(self) -> Measures:
        queries = self.bank(Modality.TEXT.value, Modality.TEXT)
        bank_scores = queries.masked(self.words(queries.h, self.sampled), self.sampled)
        return Measures.of(bank_scores, np.zeros(len(self.sampled), np.intp))

    def _bias_of_words(self, models: Models) -> NDArray[np.floating]:
        off = Taken.HUBS.off(self.words(self.bank(Modality.TEXT.value, Modality.TEXT).h, models))
        return np.zeros(len(models)) if off is None else off

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


def _name(method: str, modality: Modality) -> str:
    return f"{modality.value}.{method}"


def _blocks(models: Models) -> Iterator[Models]:
    yield from (models[start : start + BLOCK] for start in range(0, len(models), BLOCK))


_OWN_BANKS = {
    "style": lambda statistics: bank_of_styles(statistics.styles),
    "spatial": lambda statistics: bank_of_layouts(statistics.mapped_layouts),
}


def _unlike(method: str, modality: Modality) -> bool:
    """Whether what models usually get is taken off them: of texts and pictures it brings the right one forward, of
    sketches it does not (docs/results_trust.md)."""
    return modality in (Modality.TEXT, Modality.IMAGE) and METHODS[method].reads not in (Reads.STYLES, Reads.LAYOUTS)
