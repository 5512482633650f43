"""One question after another through the index, as a user's go, and the figures of their answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from modelsearch_core.catalog import Catalog
from modelsearch_core.choosing import choose
from modelsearch_core.search import Match, ModelIndex, Query

from .questions import Question

DRAWS, SEED = 1000, 60_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Where the right model stands (from 1; behind all where it is not listed), and what is said of it."""

    target: str
    place: int
    weak: bool  # whether the right model is marked weak
    first: Match

    @property
    def right(self) -> bool:
        return self.place == 1


def ask(index: ModelIndex, questions: Sequence[Question], **options: Any) -> list[Answer]:
    """Every model of the index is listed, unless `options` of `ModelIndex.search` say otherwise."""
    ids = ids_of(index)
    k = options.pop("k", len(ids))
    return [_answer(index, question, ids[question.target], k, options) for question in questions]


def _answer(index: ModelIndex, question: Question, id: str, k: int, options: dict[str, Any]) -> Answer:
    matches = index.search(question.query, k=k, **options)
    found = next((match for match in matches if match.id == id), None)
    return Answer(
        target=question.target,
        place=found.rank if found else k + 1,
        weak=found is None or found.weak,
        first=matches[0],
    )


def first(index: ModelIndex, query: Query) -> Match:
    return index.search(query, k=1)[0]


def left_out(index: ModelIndex, questions: Mapping[str, Sequence[Question]]) -> dict[str, list[Match]]:
    """The best match of each in a collection that has all but the right model."""
    ids, found = ids_of(index), {name: list[Match]() for name in questions}
    by_target: dict[str, list[tuple[str, Question]]] = {}
    for name, asked in questions.items():
        for question in asked:
            by_target.setdefault(ids[question.target], []).append((name, question))
    for id, asked in by_target.items():
        with _without(index, id) as others:
            for name, question in asked:
                found[name].append(first(others, question.query))
    return found


@contextmanager
def _without(index: ModelIndex, id: str) -> Generator[ModelIndex]:
    """A copy of the collection as it is when that model's file has gone."""
    gone = next(entry for entry in index.collection.entries if entry.fingerprint == id)
    with TemporaryDirectory() as folder:
        copy, source = Path(folder) / "catalog.sqlite", str(index.collection.catalog.path)
        with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(copy)) as target:
            whole.backup(target)
        with Catalog(copy) as catalog:
            catalog.remove_files(gone.paths)
        with ModelIndex.open(copy, encoder=index.encoder) as others:
            yield others


def called_relevant(matches: Sequence[Match]) -> dict[str, float]:
    return _mean([not match.weak for match in matches])


def picks(index: ModelIndex, texts: Sequence[str]) -> dict[str, float]:
    """For how many texts the WebUI extension would apply a LoRA."""
    listed = {model.path for model in index.models()}
    return _mean([len(choose(index, Query(text=[text]), listed).choices) > 0 for text in texts])


def _mean(values: Sequence[bool]) -> dict[str, float]:
    return interval(np.array(values, float), np.arange(len(values)))


def ids_of(index: ModelIndex) -> dict[str, str]:
    """Of every model, by its file's name and by its folder and name, without the ending."""
    found: dict[str, str] = {}
    for model in index.models():
        stem = model.path.stem if model.path.is_file() else model.path.name
        found |= {stem: model.id, f"{model.path.parent.name}/{stem}": model.id}
    return found


def share(
    answers: Sequence[Answer], of: Callable[[Answer], float] | None = None, *, places: int = 1
) -> dict[str, float]:
    """A mean with its 95 % interval by bootstrap over models; of right answers among the first `places` if not said."""
    told = of or (lambda answer: float(answer.place <= places))
    return interval(np.array([told(a) for a in answers]), np.array([a.target for a in answers]))


def interval(values: NDArray[np.floating], owners: NDArray[Any]) -> dict[str, float]:
    """Mean of values (Q,), and its interval when the models that own them are drawn again."""
    _, owner = np.unique(owners, return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(SEED).integers(0, len(counts), (DRAWS, len(counts)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": float(values.mean()), "low": float(low), "high": float(high), "of": len(values)}


def auc(answers: Sequence[Answer], of: Callable[[Answer], float]) -> dict[str, float]:
    """How well a number tells right first answers from wrong ones: .5 is chance, 1 always."""
    told, right = np.array([of(a) for a in answers]), np.array([a.right for a in answers])
    owners = np.array([a.target for a in answers])
    _, owner = np.unique(owners, return_inverse=True)
    rng = np.random.default_rng(SEED)
    drawn = [np.concatenate([np.flatnonzero(owner == m) for m in draw]) for draw in _draws(rng, owner)]
    values = [value for rows in drawn if (value := separation(told[rows], right[rows])) is not None]
    low, high = np.quantile(values, [0.025, 0.975])
    return {"value": separation(told, right) or 0.5, "low": float(low), "high": float(high), "of": len(answers)}


def _draws(rng: np.random.Generator, owner: NDArray[np.intp]) -> NDArray[np.intp]:
    models = int(owner.max()) + 1
    return rng.integers(0, models, (200, models))


def separation(told: NDArray[np.floating], right: NDArray[np.bool_]) -> float | None:
    """AUC by ranks; None where all are right, or none."""
    n, m = int(right.sum()), int((~right).sum())
    if not n or not m:
        return None
    return float((rankdata(told)[right].sum() - n * (n + 1) / 2) / (n * m))
