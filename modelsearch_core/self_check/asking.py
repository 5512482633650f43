"""Asks an index for the samples that were held out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..embedding import Features, unit
from ..evaluation import mean, places, rank_of, reciprocal_rank, within
from ..ranking import combine
from ..search.answering import Answering
from ..search.banks import Queries
from ..specification import Modality
from ..statistics import Statistics
from .held_out import Folds, halved, kept_outside

NUMBERS = 2**24  # that a batch of questions may hold for each sample of the index, 64 MB

OnBatch = Callable[[int], None]  # how many questions more


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Q held-out samples: their models, their rows among these models' samples, and the folds they are held out by."""

    model: NDArray[np.intp]  # (Q,)
    row: NDArray[np.intp]  # (Q,)
    fold: NDArray[np.intp]  # (Q,)

    def __len__(self) -> int:
        return len(self.model)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What Q questions found: how many models are above and level with the right one, and the best of the others."""

    method: str
    above: NDArray[np.intp]  # (Q,)
    level: NDArray[np.intp]  # (Q,), the right one included
    rival: NDArray[np.intp]  # (Q,)

    def top(self, k: int) -> NDArray[np.floating]:
        """(Q,): whether the model is among the k first; a part of 1 where it ties."""
        return within(self.above, self.level, k)

    def figures(self) -> dict[str, float | str]:
        return {
            "method": self.method,
            "top1": mean(self.top(1)),
            "top5": mean(self.top(5)),
            "mrr": mean(reciprocal_rank(self.above, self.level)),
            "average_rank": mean(rank_of(self.above, self.level)),
        }


def questions_of(collection: Collection, folds: Folds, each: int, modality: Modality = Modality.IMAGE) -> Questions:
    """`each` samples of every model that has others beside them, spread over its prompts."""
    found: list[tuple[int, int, int]] = []
    for m, of_model in enumerate(folds):
        specification = collection.specification(m)
        if collection.unseen[m] or (modality is Modality.SKETCH and specification.drawings is None):
            continue
        rows = [row for row, fold in enumerate(of_model) if (of_model != fold).any()]
        found += [(m, row, int(of_model[row])) for row in _spread(rows, each)]
    columns = np.array(found, np.intp).reshape(-1, 3)
    return Questions(model=columns[:, 0], row=columns[:, 1], fold=columns[:, 2])


def _spread(rows: Sequence[int], count: int) -> list[int]:
    """`count` of them at even distances."""
    return [rows[i * len(rows) // count] for i in range(count)] if len(rows) > count else list(rows)


class Asking:
    """Asks the same questions under one method after another."""

    def __init__(self, collection: Collection, folds: Folds, questions: Questions, modality: Modality) -> None:
        self._collection, self._folds = collection, folds
        self._questions, self._modality = questions, modality

    def outcomes(self, methods: Sequence[str], on_batch: OnBatch, *, half: bool = False) -> list[Outcome]:
        """One for each method. `half`: against every second of the samples that are left."""
        Q, fields = len(self._questions), len(("above", "level", "rival"))
        found = np.empty((len(methods), fields, Q), np.intp)
        for fold in np.unique(self._questions.fold):
            answering = Answering(Statistics(self._held_out(int(fold), half)))
            for batch in self._batches(int(fold)):
                queries = Queries(modality=self._modality, h=self._features(batch))
                for number, z in enumerate(_scores(answering, queries, methods)):
                    found[number][:, batch] = _places(z, self._questions.model[batch])
                on_batch(len(batch) * len(methods))
        return [
            Outcome(method=method, above=above, level=level, rival=rival)
            for method, (above, level, rival) in zip(methods, found, strict=True)
        ]

    def _held_out(self, fold: int, half: bool) -> Collection:
        kept = kept_outside(self._folds, fold)
        return self._collection.keeping(halved(kept) if half else kept)

    def _batches(self, fold: int) -> Iterator[NDArray[np.intp]]:
        of_fold = np.flatnonzero(self._questions.fold == fold)
        size = max(1, NUMBERS // max(1, sum(map(len, self._folds))))
        for start in range(0, len(of_fold), size):
            yield of_fold[start : start + size]

    def _features(self, batch: NDArray[np.intp]) -> Features:
        rows = [self._row(int(self._questions.model[q]), int(self._questions.row[q])) for q in batch]
        return unit(np.array(rows, np.float32))

    def _row(self, m: int, row: int) -> Features:
        specification = self._collection.specification(m)
        drawn = self._modality is Modality.SKETCH and specification.drawings is not None
        return (specification.drawings if drawn else specification.Z)[row]  # pyright: ignore[reportOptionalSubscript]


def _scores(answering: Answering, queries: Queries, methods: Sequence[str]) -> Iterator[NDArray[np.floating]]:
    """z (T, M) of each method; what `auto` is made of is worked out once."""
    auto = answering.weights(queries.modality) if "auto" in methods else {}
    z = {name: answering.each(queries, name) for name in dict.fromkeys([*methods, *auto]) if name != "auto"}
    for method in methods:
        yield combine([(z[name], weight) for name, weight in auto.items()]) if method == "auto" else z[method]


def _places(z: NDArray[np.floating], models: NDArray[np.intp]) -> NDArray[np.integer]:
    """(above, level, rival) of scores (T, M), (3, T)."""
    above, level = places(z, models)
    others = np.where(np.isnan(z), -np.inf, z)
    others[np.arange(len(models)), models] = -np.inf
    return np.stack([above, level, others.argmax(axis=1)])
