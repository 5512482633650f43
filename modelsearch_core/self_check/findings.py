"""What the answers say of each model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..embedding import unit
from ..evaluation import mean, rank_of
from ..model_files import Kind
from ..search import Description
from ..search.duplicates import NEARLY_THE_SAME, alike
from ..search.query import plain
from ..statistics import Statistics
from .asking import Outcome, Questions
from .verdicts import FEW, USUAL, Verdict, by_share, index_again, more_samples

ONE_PICTURE = 0.995  # mean cosine of a model's pictures from which on they are one and the same
NO_CHANGE = 0.1  # mean distance of a LoRA's pictures to its base's: a cosine of .995
NAMED = 3  # models that another is mistaken for


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Another model that stood first instead, and how often."""

    id: str
    name: str
    times: int


@dataclass(frozen=True, kw_only=True)
class ModelCheck:
    """How well one model is found by `asked` of its own pictures; None where none could be asked."""

    id: str
    name: str
    path: Path
    kind: str
    evidence: str | None
    samples: int
    asked: int
    top1: float | None
    top5: float | None
    average_rank: float | None
    top1_of_half: float | None  # with half as many samples
    mistaken_for: tuple[Mistake, ...]
    wrongly_first: int  # how often it stood first for another model's pictures
    verdict: Verdict
    advised_samples: int | None  # where more of them may tell it from others
    advice: str  # empty where nothing need be done

    def to_json(self) -> dict[str, Any]:
        return {key: plain(value) for key, value in asdict(self).items()} | {"verdict": self.verdict.value}


class Judgement(NamedTuple):
    """What to think of a model, and what to do."""

    verdict: Verdict
    advice: str = ""
    samples: int | None = None  # that are advised


class Findings:
    """Reads what Q questions found, with all samples and with half of them."""

    def __init__(
        self,
        statistics: Statistics,
        models: Sequence[Description],
        failures: Mapping[str, str],
        questions: Questions,
        outcome: Outcome,
        of_half: Outcome,
    ) -> None:
        self._collection, self._models, self._failures = statistics.collection, models, failures
        self._questions, self._outcome, self._of_half = questions, outcome, of_half
        self._rows = self._collection.row_of
        self._named = {self._rows[model.id]: model for model in models if model.id in self._rows}
        self._twins = _twins(statistics)
        self._wrongly_first = Counter(outcome.rival[outcome.top(1) < 1].tolist())

    def all(self) -> list[ModelCheck]:
        """One for each model, first those that want something done."""
        checks = [self._of(model) for model in self._models]
        return sorted(checks, key=lambda check: (check.verdict.order, check.top1 or 0, check.name.casefold()))

    def _of(self, model: Description) -> ModelCheck:
        own = self._questions_about(model)
        mistakes = self._mistakes(own)
        verdict, advice, samples = self._judged(model, own, mistakes)
        return ModelCheck(
            id=model.id,
            name=model.name,
            path=model.path,
            kind=model.kind,
            evidence=model.evidence,
            samples=model.samples,
            asked=len(own),
            top1=_share(self._outcome.top(1), own),
            top5=_share(self._outcome.top(5), own),
            average_rank=_share(rank_of(self._outcome.above, self._outcome.level), own),
            top1_of_half=_share(self._of_half.top(1), own),
            mistaken_for=mistakes,
            wrongly_first=self._wrongly_first[self._rows.get(model.id, -1)],
            verdict=verdict,
            advised_samples=samples,
            advice=advice,
        )

    def _questions_about(self, model: Description) -> NDArray[np.intp]:
        m = self._rows.get(model.id, -1)
        return np.flatnonzero(self._questions.model == m)

    def _mistakes(self, own: NDArray[np.intp]) -> tuple[Mistake, ...]:
        """Who stood first, or level with the first, in its place; most often first."""
        missed = own[self._outcome.top(1)[own] < 1]
        counts = Counter(self._outcome.rival[missed].tolist()).most_common(NAMED)
        return tuple(Mistake(id=self._named[m].id, name=self._named[m].name, times=n) for m, n in counts)

    def _judged(self, model: Description, own: NDArray[np.intp], mistakes: Sequence[Mistake]) -> Judgement:
        if model.id in self._failures:
            again = index_again(model.path)
            return Judgement(Verdict.FAILED, f"{self._failures[model.id]}; once that is mended: {again}")
        m = self._rows.get(model.id)
        if m is None or self._collection.unseen[m]:
            return Judgement(Verdict.UNSEEN, f"nothing was generated with it yet: {index_again(model.path)}")
        if broken := self._broken(m):
            return Judgement(Verdict.BROKEN, broken)
        if model.samples < FEW or not len(own):
            few = f"{model.samples} pictures tell too little: {index_again(model.path, USUAL)}"
            return Judgement(Verdict.TOO_FEW, few, USUAL)
        return self._by_answers(m, own, mistakes)

    def _broken(self, m: int) -> str:
        """What is wrong with a model's pictures, if anything."""
        entry = self._collection.entries[m]
        show = f"look at them: modelsearch show {entry.fingerprint} --sheet samples.png"
        if _one_picture(self._collection.specification(m).Z):
            return f"its pictures are all the same, whatever it is asked; {show}"
        changed = self._collection.facets.get(entry.key)
        if entry.kind is Kind.LORA and changed is not None and changed[0] < NO_CHANGE:
            return f"its pictures are those of its base, it may be made for another one; {show}"
        return ""

    def _by_answers(self, m: int, own: NDArray[np.intp], mistakes: Sequence[Mistake]) -> Judgement:
        top1, top5 = (mean(self._outcome.top(k)[own]) for k in (1, 5))
        verdict = by_share(top1, top5, len(self._collection))
        if verdict in (Verdict.FOUND, Verdict.USUALLY):
            return Judgement(verdict)
        twin = next((other.name for other in mistakes if self._rows[other.id] in self._twins[m]), None)
        if twin is not None:
            return Judgement(Verdict.TWIN, f"{twin} makes nearly the same pictures; either will do")
        entry, half = self._collection.entries[m], mean(self._of_half.top(1)[own])
        facets = self._collection.facets.get(entry.key)
        wanted = more_samples(entry.samples, top1, half, facets[1] if facets else None)
        if wanted is None:
            return Judgement(verdict, "more samples promise little; add words to a picture, or compare by eye")
        return Judgement(verdict, f"more samples may tell them apart: {index_again(entry.path, wanted)}", wanted)


def _share(values: NDArray[np.floating], own: NDArray[np.intp]) -> float | None:
    return round(mean(values[own]), 4) if len(own) else None


def _one_picture(Z: NDArray[np.floating]) -> bool:
    """Whether the mean cosine of two different pictures is next to 1: (‖Σz‖² − S) / (S(S−1))."""
    S, total = len(Z), unit(np.asarray(Z, np.float32)).sum(axis=0)
    return S > 1 and float(total @ total - S) / (S * (S - 1)) >= ONE_PICTURE


def _twins(statistics: Statistics) -> dict[int, set[int]]:
    """Of each model, those that make nearly the same pictures."""
    found: dict[int, set[int]] = defaultdict(set)
    for a, b, _ in alike(statistics, NEARLY_THE_SAME):
        found[a].add(b)
        found[b].add(a)
    return found
