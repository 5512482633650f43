"""Standardised scores, so that methods, modalities, kinds and evidence can be added up and stand in one list.

A score is compared with what unrelated queries of its modality get (`banks`, `yardstick`). Answers are about some
models (C,), whose numbers in the collection they carry along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..ranking import WORDS_WEIGHT, combine, fuse, length
from ..scores import calibration, content
from ..specification import Modality, Requirement
from ..statistics import Statistics
from .auto import proposing, shares
from .banks import SEED, Queries, bank, bank_of_layouts, bank_of_styles, without
from .measured import Measured
from .methods import AUTO_METHOD, METHODS, Judges, Reads
from .weighing import Line, Weighing, same_words, weighing
from .yardstick import Kin, Measures, Models, Reading, Taken, Unrelated, Yardstick, sampled

WORDS = "words"  # what authors wrote, beside the methods
FEW = 64  # models of each evidence that say what is usual for a query, where all would have to be read
OF_A_FORM = 32  # unrelated texts that say what texts written so are told
BLOCK = 512  # models that are measured at once
MOST_AT_ONCE = 8  # pictures of one model, from which on more make no difference to what is usual


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one method said: scores (C,), before they were measured, and its share in z."""

    method: str
    weight: float
    scores: NDArray[np.floating]
    models: Models
    yardstick: Yardstick

    def reading(self, place: int) -> Reading:
        return self.yardstick.reading(self.scores, place, self.models)


@dataclass(frozen=True)
class Answer:
    """z (C,) of models for one requirement, the weighted sum of its parts, and of unrelated queries for comparison.

    `rho` (C,): what the evidence of each model is worth; `line`: how that, and what the query gets from all models, has
    changed the sum of the parts.
    """

    z: NDArray[np.floating]
    unrelated: Unrelated
    parts: tuple[Part, ...] = ()
    rho: NDArray[np.floating] | None = None
    line: Line | None = None


class Answering:
    """Answers requirements from a collection; what it works out about the collection is kept for the next query.

    `stored` are yardsticks that indexing has prepared.
    """

    def __init__(self, statistics: Statistics, stored: Measured | None = None) -> None:
        self._statistics = statistics
        self._collection = statistics.collection
        self._stored = stored
        self.sampled = sampled(self._collection) if stored is None else stored.sampled
        self._banks: dict[str, Queries] = {}
        self._yardsticks: dict[tuple[str, Modality, int], Yardstick] = {}
        self._weighings: dict[tuple[str, Modality], Weighing] = {}
        self._of_all: Judges | None = None
        self._of_sampled: Judges | None = None
        self._folds: dict[int, Judges] = {}

    def answer(self, requirement: Requirement, method: str = AUTO_METHOD, models: Models | None = None) -> Answer:
        """One requirement under one method; `auto` adds up those that suit the modality, and the authors' words.
        What is known of a model by cheap evidence counts by what it is worth."""
        return self._answer(requirement, method, self.judges(models))

    def coarsely(self, requirement: Requirement, method: str, models: Models) -> NDArray[np.floating] | None:
        """z (C,), nearly: of models whose samples are not read. None where that cannot be told."""
        reading = [METHODS[name] for name in self._methods(requirement, method) if METHODS[name].reads_rows]
        if not all(each.coarse for each in reading):
            return None
        drawn = requirement.modality is Modality.SKETCH and any(each.name != "gaussian" for each in reading)
        if (self._statistics.coarse_drawn if drawn else self._statistics.coarse) is None:
            return None
        return self._answer(requirement, method, Judges(self._statistics, models, coarsely=True)).z

    def _answer(self, requirement: Requirement, method: str, judges: Judges) -> Answer:
        found = self._by(requirement, method, judges)
        weighed = self._weighed(requirement, method, found, judges.models)
        return replace(weighed, unrelated=self._of_its_form(requirement, weighed.unrelated))

    def _of_its_form(self, requirement: Requirement, unrelated: Unrelated) -> Unrelated:
        """What a name gets is compared with what names get, a prompt with prompts, where the index knows enough."""
        if requirement.modality is not Modality.TEXT:
            return unrelated
        are_prompts = self._bank(Modality.TEXT.value, Modality.TEXT).are_prompts
        if are_prompts is None or len(are_prompts) != len(unrelated.z):
            return unrelated
        same = are_prompts == requirement.is_prompt
        return replace(unrelated, z=unrelated.z[same]) if same.sum() >= OF_A_FORM else unrelated

    def _by(self, requirement: Requirement, method: str, judges: Judges) -> Answer:
        """As if all evidence were worth the same."""
        if method != AUTO_METHOD:
            return self._measured(requirement, method, judges)
        weights = self.weights_of(requirement)
        measured = added([(self._measured(requirement, name, judges), weight) for name, weight in weights.items()])
        if requirement.modality is not Modality.TEXT:
            return measured
        return self._with_words(requirement, measured, judges.models)

    def groups(self, models: Models) -> NDArray[np.intp]:
        """(C,): within which scores are comparable."""
        return self._collection.groups[models]

    def _weighed(self, requirement: Requirement, method: str, found: Answer, models: Models) -> Answer:
        scale = self._weighing(requirement.modality, method, found.unrelated)
        if scale.is_plain:
            return replace(found, rho=scale.rho[models])
        rho = scale.rho[models]
        if found.parts and found.parts[-1].method == WORDS:
            rho = same_words(found.parts[-1].scores, rho)
        line = scale.line(models, self._usual(requirement, method, found, models, scale), rho)
        unrelated = scale.unrelated(found.unrelated, self.sampled)
        return replace(found, z=line.of(found.z), unrelated=unrelated, rho=rho, line=line)

    def _usual(
        self, requirement: Requirement, method: str, found: Answer, models: Models, scale: Weighing
    ) -> NDArray[np.floating]:
        """What the query gets from all models as a rule, whichever of them were judged; where that takes reading
        others' samples, from a few of each evidence."""
        some = self._some if self.reads_rows(requirement, method) else self.judges()
        same = np.array_equal(some.models, models)
        z = found.z if same else self._by(requirement, method, some).z
        return scale.usual(z, scale.levels[some.models])

    def reads_rows(self, requirement: Requirement, method: str) -> bool:
        """Whether a method must read models' samples to answer."""
        return any(METHODS[name].reads_rows for name in self._methods(requirement, method))

    def _methods(self, requirement: Requirement, method: str) -> list[str]:
        """What a method comes down to."""
        return [method] if method != AUTO_METHOD else list(self.weights_of(requirement))

    def _weighing(self, modality: Modality, method: str, unrelated: Unrelated) -> Weighing:
        key = method, modality
        if key not in self._weighings:
            bank = self._bank(modality.value, modality)
            self._weighings[key] = weighing(self._statistics, modality, bank, unrelated, self.sampled)
        return self._weighings[key]

    def each(self, asked: Queries, method: str, models: Models | None = None) -> NDArray[np.floating]:
        """z (T, C) of separate pictures or sketches under one method."""
        judges = self.judges(models)
        yardstick = self._yardstick(method, asked.modality)
        z = yardstick.z(self._scores(method, asked, judges), judges.models)
        return self._weighing(asked.modality, method, yardstick.unrelated).weighed(z, judges.models)

    def weights_of(self, requirement: Requirement) -> dict[str, float]:
        """What `auto` adds up for it."""
        if (m := requirement.model) is not None and self._collection.unseen[m]:
            models = np.array([m])
            if np.isfinite(self._statistics.weights.cosines(models, models)).all():
                return shares(requirement.modality, by_weights=True)
        return self.weights(requirement.modality, requirement.style, prompted=requirement.prompt is not None)

    def weights(self, modality: Modality, style: float | None = None, *, prompted: bool = False) -> dict[str, float]:
        """What `auto` adds up."""
        return shares(modality, self._statistics.matching, style, prompted=prompted)

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

    def warm(self) -> None:
        """Works out what texts and pictures are measured by."""
        for modality in (Modality.TEXT, Modality.IMAGE):
            for method in self._first_methods(modality):
                self._yardstick(method, modality)

    def prepared(self) -> Measured:
        """What answers are measured by, of the methods that `auto` uses, to be stored."""
        modalities = [m for m in Modality if m is Modality.TEXT or len(self._bank(m.value, m))]
        asked = [(method, modality) for modality in modalities for method in self._first_methods(modality)]
        measures = {f"{modality.value}.{method}": self._measures(method, modality) for method, modality in asked}
        measures[f"text.{WORDS}"] = self._measures_of_words()
        biases = {f"{modality.value}.{method}": self._all_biases(method, modality) for method, modality in asked}
        if self.words_yardstick().corrected:
            biases[f"text.{WORDS}"] = self._of_blocks(self._bias_of_words)
        return Measured.of(
            self._collection,
            self.sampled,
            measures=measures,
            biases=biases,
            banks={name: queries for name, queries in self._banks.items() if name in ("image", "sketch")},
        )

    def _first_methods(self, modality: Modality) -> list[str]:
        """Of `auto`, and of what proposes candidates."""
        wanted = [*self.weights(modality), proposing(modality)]
        return [name for name in dict.fromkeys(wanted) if METHODS[name].reads not in (Reads.STYLES, Reads.LAYOUTS)]

    def _measured(self, requirement: Requirement, method: str, judges: Judges) -> Answer:
        each = self._of_views(method, self._scores(method, Queries.of(requirement), judges), requirement)
        scores, yardstick = each.mean(axis=0), self._yardstick(method, requirement.modality, len(each))
        part = Part(method=method, weight=1.0, scores=scores, models=judges.models, yardstick=yardstick)
        return Answer(yardstick.z(scores, judges.models), yardstick.unrelated, (part,))

    def _of_views(self, method: str, scores: NDArray[np.floating], requirement: Requirement) -> NDArray[np.floating]:
        """(T, C): views of one sketch as one, by what the same few models say to each."""
        if requirement.views < 2:
            return scores
        others = self._scores(method, Queries.of(requirement), self._some)
        return calibration.of_views(scores, requirement.views, others)

    def _scores(
        self, method: str, asked: Queries, judges: Judges, of: Callable[..., NDArray[np.floating]] | None = None
    ) -> NDArray[np.floating]:
        """(T, C) as `of` tells them. How far a sketch's scores are spread says how it was drawn, not what: each one's
        are in units of that."""
        told = of or (lambda method, asked, judges: judges(method, asked))
        scores = told(method, asked, judges)
        if asked.modality is not Modality.SKETCH:
            return scores
        some = self._some_of_best
        places = np.searchsorted(judges.models, some.models).clip(max=len(judges.models) - 1)
        is_among = np.array_equal(judges.models[places], some.models)
        others = scores[:, places] if is_among else told(method, asked, some)
        return calibration.test_normed(scores, asked.masked(others, some.models))

    @cached_property
    def _some(self) -> Judges:
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

    def _yardstick(self, method: str, modality: Modality, several: int = 1) -> Yardstick:
        """For `several` pictures or sketches at once."""
        key = method, modality, min(several, MOST_AT_ONCE)
        if key not in self._yardsticks:
            measures, owner = self._measures(method, modality), self._queries(method, modality).owner
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

    def _measures(self, method: str, modality: Modality) -> Measures:
        """By what the bank's queries get from the sampled models."""
        name = f"{modality.value}.{method}"
        if self._stored is not None and name in self._stored.measures:
            return self._stored.measures[name]
        if self._of_sampled is None:
            whole = len(self.sampled) == len(self._collection)
            self._of_sampled = self.judges(None if whole else self.sampled)
        queries = self._queries(method, modality)
        scores = self._scores(method, queries, self._of_sampled, self._scores_of_bank)
        background = queries.masked(scores, self.sampled)
        # hubs are taken off styles whatever the skewness (docs/methods.md 7)
        correct = True if method == "style" else None
        groups, usual = self._groups(method)[self.sampled], _unlike(method, modality)
        return Measures.of(background, groups, kin=self._kin(method), correct=correct, usual=usual)

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
        are_hubs = self._measures(method, modality).rule is Taken.HUBS
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
        known, groups = self._measures(method, modality).bias, self._groups(method)
        if known is None:
            return np.zeros(len(models))
        of = {group: np.median(known[groups[self.sampled] == group]) for group in np.unique(groups[self.sampled])}
        return np.array([of[group] for group in groups[models]])

    def _worked_out_bias(self, method: str, modality: Modality, models: Models) -> NDArray[np.floating]:
        queries, judges = self._queries(method, modality), Judges(self._statistics, models)
        scores = self._scores(method, queries, judges, self._scores_of_bank)
        off = self._measures(method, modality).rule.off(queries.masked(scores, models))
        return np.zeros(len(models)) if off is None else off

    def _all_biases(self, method: str, modality: Modality) -> NDArray[np.floating] | None:
        """(M,): of sampled models as it is, of others block by block; None where nothing is taken off."""
        known = self._measures(method, modality).bias
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
        return self._bank(method if modality is Modality.IMAGE and method in _OWN_BANKS else modality.value, modality)

    def _bank(self, name: str, modality: Modality) -> Queries:
        if name not in self._banks:
            stored = self._stored.banks.get(name) if self._stored is not None else None
            own = _OWN_BANKS.get(name)
            self._banks[name] = stored or (bank(self._statistics, modality) if own is None else own(self._statistics))
        return self._banks[name]

    # the authors' words

    def _with_words(self, requirement: Requirement, measured: Answer, models: Models) -> Answer:
        """Fused with what the authors wrote of their models, where they did (docs/methods.md 11)."""
        yardstick = self.words_yardstick()
        scores = self.words(requirement.h, models)[0]
        part = Part(method=WORDS, weight=WORDS_WEIGHT, scores=scores, models=models, yardstick=yardstick)
        unrelated = measured.unrelated
        z = self._fused(measured.z, yardstick.z(scores, models), models)
        fused = replace(unrelated, z=self._fused(unrelated.z, yardstick.unrelated.z, self.sampled))
        return Answer(z, fused, (*measured.parts, part))

    def _fused(
        self, measured: NDArray[np.floating], words: NDArray[np.floating], models: Models
    ) -> NDArray[np.floating]:
        """Of a model that is known by its words alone, these."""
        only = self._collection.only_words[models]
        return np.where(only, words, fuse(measured, words))

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
        queries = self._bank(Modality.TEXT.value, Modality.TEXT)
        background = queries.masked(self.words(queries.h, self.sampled), self.sampled)
        return Measures.of(background, np.zeros(len(self.sampled), np.intp))

    def _bias_of_words(self, models: Models) -> NDArray[np.floating]:
        h = self._bank(Modality.TEXT.value, Modality.TEXT).h

        def worked_out(unknown: Models) -> NDArray[np.floating]:
            off = Taken.HUBS.off(self.words(h, unknown))
            return np.zeros(len(unknown)) if off is None else off

        return self._stored_bias(f"text.{WORDS}", models, worked_out)

    def words(self, h: NDArray[np.floating], models: Models) -> NDArray[np.floating]:
        """(T, C): cosine of a text with the nearest of an author's texts. NaN for a model without words."""
        words = self._collection.words
        scores = np.full((len(h), len(models)), np.nan)
        told = np.flatnonzero(words.counts[models] > 0)
        if len(told):
            some = words.some(models[told]) if len(models) < len(words) else words
            offsets = np.append(some.offsets[:-1][some.counts > 0], some.offsets[-1])
            scores[:, told] = content.best_k(some.Z, offsets, h, k=1)
        return scores


_OWN_BANKS = {
    "style": lambda statistics: bank_of_styles(statistics.styles),
    "spatial": lambda statistics: bank_of_layouts(statistics.mapped_layouts),
}


def _unlike(method: str, modality: Modality) -> bool:
    """Whether what models usually get is taken off them: of texts and pictures it brings the right one forward, of
    sketches it does not (docs/results_trust.md)."""
    return modality in (Modality.TEXT, Modality.IMAGE) and METHODS[method].reads not in (Reads.STYLES, Reads.LAYOUTS)


def added(answers: Sequence[tuple[Answer, float]], *, unrelated: bool = False) -> Answer:
    """A product of experts: the models' z and the bank's alike, but for what is not wanted, which makes no answer more
    relevant. `unrelated` inputs meet different queries of the bank; so do banks that are not of the same queries."""
    wanted = [(answer, weight) for answer, weight in answers if weight > 0] or answers
    B = max(len(answer.unrelated.z) for answer, _ in wanted)
    banks = [
        (_paired(answer.unrelated.z, B, turn if unrelated else 0), weight)
        for turn, (answer, weight) in enumerate(wanted)
    ]
    divisor = length([weight for _, weight in answers])
    parts = [replace(part, weight=part.weight * weight / divisor) for a, weight in answers for part in a.parts]
    together = replace(wanted[0][0].unrelated, z=combine(banks))
    z = combine([(answer.z, weight) for answer, weight in answers])
    return Answer(z, together, tuple(parts), wanted[0][0].rho)


def _paired(bank_z: NDArray[np.floating], B: int, turn: int) -> NDArray[np.floating]:
    """B rows: as they are, shuffled for a later turn, or drawn where there are fewer."""
    rng = np.random.default_rng(SEED + turn)
    if len(bank_z) == B:
        return rng.permutation(bank_z) if turn else bank_z
    return bank_z[rng.integers(0, len(bank_z), B)]
