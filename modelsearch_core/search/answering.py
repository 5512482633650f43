"""Standardised scores, so that methods, modalities, kinds and evidence can be added up and stand in one list.

A score is compared with what unrelated queries of its modality get (`banks`, `yardstick`). Answers are about some
models (C,), whose numbers in the collection they carry along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..ranking import WORDS_WEIGHT, combine, fuse, length
from ..scores import calibration
from ..specification import Modality, Requirement
from ..statistics import Statistics
from .auto import proposing, shares
from .banks import SEED, Queries
from .measured import Measured
from .measuring import WORDS, Measuring
from .methods import AUTO_METHOD, METHODS, Judges, Method, Reads
from .near import near
from .weighing import Line, Weighing, same_words, weighing
from .yardstick import Models, Reading, Unrelated, Yardstick

OF_A_FORM = 32  # unrelated texts that say what texts written so are told

Known = WeakKeyDictionary[Requirement, dict[str, NDArray[np.floating]]]  # (T, …) by method, as long as it is asked


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

    `stored` are yardsticks that indexing has prepared; while it does, `as_asked` draws sketches as users' are asked.
    """

    def __init__(
        self,
        statistics: Statistics,
        stored: Measured | None = None,
        as_asked: Callable[[Queries], Queries] | None = None,
    ) -> None:
        self._statistics = statistics
        self._collection = statistics.collection
        self.measuring = Measuring(statistics, stored, as_asked)
        self._weighings: dict[tuple[str, Modality], Weighing] = {}
        self._of_some: Known = WeakKeyDictionary()  # what says what is usual for a query, which both stages ask
        self._of_all: Known = WeakKeyDictionary()  # (T, M), nearly where samples would have to be read

    def answer(self, requirement: Requirement, method: str = AUTO_METHOD, models: Models | None = None) -> Answer:
        """One requirement under one method; `auto` adds up those that suit the modality, and the authors' words.
        What is known of a model by cheap evidence counts by what it is worth."""
        return self._answer(requirement, method, self.measuring.judges(models))

    def coarsely(self, requirement: Requirement, method: str, models: Models) -> NDArray[np.floating] | None:
        """z (C,), nearly: of models whose samples are not read. None where that cannot be told."""
        if not self._can_coarsely(requirement, method):
            return None
        return self._answer(requirement, method, Judges(self._statistics, models, coarsely=True)).z

    def _can_coarsely(self, requirement: Requirement, method: str) -> bool:
        reading = self._reading(requirement, method)
        if not all(each.coarse for each in reading):
            return False
        by_densities = [each for each in reading if each.reads is not Reads.STYLES]  # these have moments of their own
        drawn = requirement.modality is Modality.SKETCH and any(each.name != "gaussian" for each in by_densities)
        return not by_densities or (self._statistics.coarse_drawn if drawn else self._statistics.coarse) is not None

    def first_stage(self, requirement: Requirement, method: str) -> list[str]:
        """What is asked of all models before any sample is read."""
        coarse = self._can_coarsely(requirement, method)
        names = [name for name in self._methods(requirement, method) if METHODS[name].of_all(coarsely=coarse)]
        return [*names, *_words(requirement, method)]

    def of_all(self, method: str, queries: Queries) -> NDArray[np.floating]:
        """(T, M), nearly where samples would have to be read."""
        if method == WORDS:
            return self.measuring.words(queries.h, self._collection.all)
        return self.measuring.scores(method, queries, Judges(self._statistics, self._collection.all, coarsely=True))

    def keep(self, requirement: Requirement, method: str, scores: NDArray[np.floating]) -> None:
        """Scores (T, M) of `of_all`, which answers to this requirement then take."""
        self._of_all.setdefault(requirement, {})[method] = scores

    def _answer(self, requirement: Requirement, method: str, judges: Judges) -> Answer:
        found = self._by(requirement, method, judges)
        weighed = self._weighed(requirement, method, found, judges.models)
        return replace(weighed, unrelated=self._of_its_form(requirement, weighed.unrelated))

    def _of_its_form(self, requirement: Requirement, unrelated: Unrelated) -> Unrelated:
        """What a name gets is compared with what names get, a sentence with sentences, a prompt with prompts, where the
        index knows enough."""
        if requirement.modality is not Modality.TEXT:
            return unrelated
        forms = self.measuring.bank(Modality.TEXT.value, Modality.TEXT).forms
        if forms is None or len(forms) != len(unrelated.z):
            return unrelated
        same = forms == requirement.form
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

    def _measured(self, requirement: Requirement, method: str, judges: Judges) -> Answer:
        each = self._of_views(method, self._scores(requirement, method, judges), requirement)
        scores, several = each.mean(axis=0), self.measuring.as_many(requirement)
        yardstick = self.measuring.yardstick(method, requirement.modality, several)
        part = Part(method=method, weight=1.0, scores=scores, models=judges.models, yardstick=yardstick)
        z = yardstick.z(scores, judges.models, nearly=judges.coarsely)
        return Answer(z, yardstick.unrelated, (part,))

    def _of_views(self, method: str, scores: NDArray[np.floating], requirement: Requirement) -> NDArray[np.floating]:
        """(T, C): views of one sketch as one, by what the same few models say to each."""
        if requirement.views < 2:
            return scores
        return calibration.of_views(scores, requirement.views, self._from_some(requirement, method))

    def _scores(self, requirement: Requirement, method: str, judges: Judges) -> NDArray[np.floating]:
        """(T, C)"""
        if judges is self.measuring.some:
            return self._from_some(requirement, method)
        known = self._of_all.get(requirement, {}).get(method)
        if known is not None and METHODS[method].of_all(coarsely=judges.coarsely):
            return known[:, judges.models]
        return self.measuring.scores(method, Queries.of(requirement), judges)

    def _from_some(self, requirement: Requirement, method: str) -> NDArray[np.floating]:
        """(T, n) of the few models that say what is usual for a query."""
        known = self._of_some.setdefault(requirement, {})
        if method not in known:
            known[method] = self.measuring.scores(method, Queries.of(requirement), self.measuring.some)
        return known[method]

    def _with_words(self, requirement: Requirement, measured: Answer, models: Models) -> Answer:
        """Fused with what the authors wrote of their models, where they did (docs/methods.md 11)."""
        yardstick = self.measuring.words_yardstick()
        known = self._of_all.get(requirement, {}).get(WORDS)
        scores = self.measuring.words(requirement.h, models)[0] if known is None else known[0, models]
        part = Part(method=WORDS, weight=WORDS_WEIGHT, scores=scores, models=models, yardstick=yardstick)
        unrelated = measured.unrelated
        z = self._fused(measured.z, yardstick.z(scores, models), models)
        fused = replace(unrelated, z=self._fused(unrelated.z, yardstick.unrelated.z, self.measuring.sampled))
        return Answer(z, fused, (*measured.parts, part))

    def _fused(
        self, measured: NDArray[np.floating], words: NDArray[np.floating], models: Models
    ) -> NDArray[np.floating]:
        """Of a model that is known by its words alone, these."""
        only = self._collection.only_words[models]
        return np.where(only, words, fuse(measured, words))

    def _weighed(self, requirement: Requirement, method: str, found: Answer, models: Models) -> Answer:
        scale = self._weighing(requirement.modality, method, found.unrelated)
        if scale.is_plain:
            return replace(found, rho=scale.rho[models])
        rho = scale.rho[models]
        if found.parts and found.parts[-1].method == WORDS:
            rho = same_words(found.parts[-1].scores, rho)
        line = scale.line(models, self._usual(requirement, method, found, models, scale), rho)
        unrelated = scale.unrelated(found.unrelated, self.measuring.sampled)
        return replace(found, z=line.of(found.z), unrelated=unrelated, rho=rho, line=line)

    def _usual(
        self, requirement: Requirement, method: str, found: Answer, models: Models, scale: Weighing
    ) -> NDArray[np.floating]:
        """What the query gets from all models as a rule, whichever of them were judged; where that takes reading
        others' samples, from a few of each evidence."""
        some = self.measuring.some if self.reads_rows(requirement, method) else self.measuring.by_columns
        same = np.array_equal(some.models, models)
        z = found.z if same else self._by(requirement, method, some).z
        return scale.usual(z, scale.levels[some.models])

    def _weighing(self, modality: Modality, method: str, unrelated: Unrelated) -> Weighing:
        key = method, modality
        if key not in self._weighings:
            bank = self.measuring.bank(modality.value, modality)
            self._weighings[key] = weighing(self._statistics, modality, bank, unrelated, self.measuring.sampled)
        return self._weighings[key]

    def each(self, queries: Queries, method: str, models: Models | None = None) -> NDArray[np.floating]:
        """z (T, C) of separate pictures or sketches under one method."""
        judges = self.measuring.judges(models)
        yardstick = self.measuring.yardstick(method, queries.modality)
        z = yardstick.z(self.measuring.scores(method, queries, judges), judges.models)
        return self._weighing(queries.modality, method, yardstick.unrelated).weighed(z, judges.models)

    def near(self, requirement: Requirement, method: str, models: Models, k: int) -> Models:
        """Of very many models, those that can be among the best k by columns."""
        names = [*self._methods(requirement, method), *_words(requirement, method)]
        return near(self._statistics, requirement, names, models, k)

    def groups(self, models: Models) -> NDArray[np.intp]:
        """(C,): within which scores are comparable."""
        return self._collection.groups[models]

    def reads_rows(self, requirement: Requirement, method: str) -> bool:
        """Whether a method must read models' samples to answer."""
        return bool(self._reading(requirement, method))

    def _reading(self, requirement: Requirement, method: str) -> list[Method]:
        """Of what a method comes down to, what reads samples; style vectors of a small collection are all kept."""
        methods = [METHODS[name] for name in self._methods(requirement, method)]
        by_style = requirement.modality is Modality.IMAGE and not self._statistics.styles.is_kept
        return [each for each in methods if each.reads_rows or (by_style and each.reads is Reads.STYLES)]

    def _methods(self, requirement: Requirement, method: str) -> list[str]:
        """What a method comes down to."""
        return [method] if method != AUTO_METHOD else list(self.weights_of(requirement))

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

    def warm(self) -> None:
        """Works out what texts and pictures are measured by."""
        for modality in (Modality.TEXT, Modality.IMAGE):
            for method in self._first_methods(modality):
                self.measuring.yardstick(method, modality)

    def prepared(self) -> Measured:
        """What answers are measured by, of the methods that `auto` uses, to be stored."""
        modalities = [m for m in Modality if m is Modality.TEXT or len(self.measuring.bank(m.value, m))]
        return self.measuring.prepared([(method, m) for m in modalities for method in self._first_methods(m)])

    def _first_methods(self, modality: Modality) -> list[str]:
        """Of `auto`, and of what proposes candidates."""
        wanted = [*self.weights(modality), proposing(modality)]
        return [name for name in dict.fromkeys(wanted) if METHODS[name].reads not in (Reads.STYLES, Reads.LAYOUTS)]


def _words(requirement: Requirement, method: str) -> list[str]:
    """What is compared with the authors' words besides."""
    return [WORDS] if method == AUTO_METHOD and requirement.modality is Modality.TEXT else []


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
