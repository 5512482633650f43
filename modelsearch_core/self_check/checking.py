"""The whole check of an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..collection import Collection
from ..errors import ModelSearchError
from ..evaluation import mean
from ..search import ModelIndex
from ..search.auto import AUTO
from ..specification import Modality
from ..statistics import Statistics
from .asking import Asking, Outcome, Questions, questions_of
from .findings import Findings, ModelCheck
from .held_out import folds_of

FOLDS = 5
QUESTIONS = 20_000  # of all models together, where nobody says how many
FEWEST = 4  # of a model
# Without those that want words beside a picture, and those that have learned from the very pictures that are held out.
FOR_PICTURES = (
    "auto",
    "first_moment",
    "monte_carlo",
    "best_k",
    "gaussian",
    "second_moment",
    "rkme_clip",
    "paired_difference",
    "style",
)
MANY = 500  # models from which on the quick methods are enough, where nobody says which
QUICK = ("auto", "first_moment")
FOR_SKETCHES = ("auto", "drawn_gaussian", "drawn_first_moment", "first_moment", "best_k", "gaussian")

OnProgress = Callable[[int, int], None]  # questions answered, of how many


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked. `methods`: empty for all that suit; `each`: pictures of a model, None: what takes minutes."""

    methods: Sequence[str] = ()
    modality: Modality = Modality.IMAGE
    each: int | None = None
    folds: int = FOLDS


@dataclass(frozen=True, kw_only=True)
class SelfCheck:
    """What an index answers to pictures of its own that were held out of it.

    `figures` by method; `error` is the standard error of the first one's top-1 over the models; `half` its top-1 with
    half as many samples.
    """

    modality: Modality
    folds: int
    questions: int
    candidates: int  # models that could be answered
    figures: list[dict[str, float | str]]
    error: float
    half: float
    without_learned: bool  # what was learned of the collection answers searches, but was left out here
    models: list[ModelCheck]

    def to_json(self) -> dict[str, Any]:
        return {
            "modality": self.modality.value,
            "folds": self.folds,
            "questions": self.questions,
            "candidates": self.candidates,
            "chance": {"top1": 1 / self.candidates, "top5": min(1.0, 5 / self.candidates)},
            "methods": self.figures,
            "top1_error": self.error,
            "top1_of_half": self.half,
            "without_learned": self.without_learned,
            "models": [model.to_json() for model in self.models],
        }


def check(
    index: ModelIndex, settings: Settings, failures: Mapping[str, str], on_progress: OnProgress = lambda *_: None
) -> SelfCheck:
    """Holds samples out and searches for them; `failures` by fingerprint. ModelSearchError where there are none."""
    collection, statistics = index.collection, index.statistics
    folds = folds_of(collection, settings.folds)
    questions = questions_of(collection, folds, settings.each or _each(collection), settings.modality)
    _refuse_too_little(collection, questions, settings.modality)
    methods = list(settings.methods or suitable(statistics, settings.modality))
    counter = _Counter(len(questions) * (len(methods) + 1), on_progress)
    asking = Asking(collection, folds, questions, settings.modality)
    outcomes = asking.outcomes(methods, counter)
    of_half = asking.outcomes(methods[:1], counter, half=True)[0]
    found = Findings(statistics, index.models(), failures, questions, outcomes[0], of_half)
    return SelfCheck(
        modality=settings.modality,
        folds=settings.folds,
        questions=len(questions),
        candidates=len(collection),
        figures=[outcome.figures() for outcome in outcomes],
        error=_error(questions, outcomes[0]),
        half=mean(of_half.top(1)),
        without_learned=statistics.matching is not None,
        models=found.all(),
    )


def suitable(statistics: Statistics, modality: Modality) -> tuple[str, ...]:
    """Methods for a picture without words; none that has learned from the pictures that are held out."""
    if modality is Modality.SKETCH:
        return FOR_SKETCHES
    found = [name for name in FOR_PICTURES if name != "style" or statistics.styles.has_renderings.any()]
    return tuple(
        found if len(statistics.collection) <= MANY else [name for name in found if name in (*QUICK, *AUTO[modality])]
    )


def _each(collection: Collection) -> int:
    return max(FEWEST, QUESTIONS // max(1, len(collection)))


def _refuse_too_little(collection: Collection, questions: Questions, modality: Modality) -> None:
    if len(collection) < 2:
        raise ModelSearchError(f"{len(collection)} model in the index; there must be two or more to be told apart")
    if not len(questions):
        what = "line drawings" if modality is Modality.SKETCH else "pictures"
        raise ModelSearchError(f"no model has two {what} or more to hold one out; run `modelsearch index FOLDER` first")


def _error(questions: Questions, outcome: Outcome) -> float:
    """Standard error of top-1 over the models: pictures of one model are no independent trials."""
    shares = [mean(outcome.top(1)[questions.model == m]) for m in np.unique(questions.model)]
    return float(np.std(shares) / np.sqrt(len(shares)))


class _Counter:
    """Adds up what was asked."""

    def __init__(self, total: int, on_progress: OnProgress) -> None:
        self._done, self._total, self._on_progress = 0, total, on_progress

    def __call__(self, more: int) -> None:
        self._done += more
        self._on_progress(self._done, self._total)
