"""How good a search is: top-k accuracy, average rank, MRR, mAP, and precision, recall and F1 of pairs.

scores (T, M) of T queries and M models, higher is better; targets (T,) the models searched for. Models that tie are in
random order: each figure is its expected value, so a scorer that says the same of all models is at chance. (The formula
in the one-image paper counts only the models above, which puts such a scorer's every answer first.) NaN ranks last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scores.content import Scores

Targets = NDArray[np.integer]


class Agreement(NamedTuple):
    """How far predicted pairs are the actual ones; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


def places(scores: Scores, targets: Targets) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """How many models are above each query's target, and how many, itself included, are level with it: (T,), (T,)."""
    known = np.where(np.isnan(scores), -np.inf, scores)
    own = np.take_along_axis(known, np.asarray(targets)[:, None], axis=1)
    return (known > own).sum(axis=1), (known == own).sum(axis=1)


def ranks(scores: Scores, targets: Targets) -> NDArray[np.floating]:
    """Rank of each query's target from 1, the middle of its ties, (T,)."""
    return rank_of(*places(scores, targets))


def rank_of(above: NDArray[np.integer], level: NDArray[np.integer]) -> NDArray[np.floating]:
    """The same from `places`, for scores that are too many to be kept."""
    return above + (level + 1) / 2


def top_k_accuracy(scores: Scores, targets: Targets, k: int = 1) -> float:
    """Share of queries whose target is among the k best."""
    return mean(within(*places(scores, targets), k))


def within(above: NDArray[np.integer], level: NDArray[np.integer], k: int) -> NDArray[np.floating]:
    """How likely each query's target is among the k best, by its `places`; between 0 and 1 where it ties, (T,)."""
    return np.clip((k - above) / level, 0, 1)


def average_rank(scores: Scores, targets: Targets) -> float:
    """Mean rank of the target, from 1."""
    return mean(ranks(scores, targets))


def mean_reciprocal_rank(scores: Scores, targets: Targets) -> float:
    """MRR: mean of 1/rank of the target."""
    return mean(reciprocal_rank(*places(scores, targets)))


def reciprocal_rank(above: NDArray[np.integer], level: NDArray[np.integer]) -> NDArray[np.floating]:
    """The expected 1/rank of each query's target, by its `places`, (T,)."""
    most = int((above + level).max(initial=0))
    harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, most + 1))])
    return (harmonic[above + level] - harmonic[above]) / level


def average_precision(scores: NDArray[np.floating], relevant: NDArray[np.bool_]) -> float:
    """AP of one query (M,) with several relevant models, ties as in McSherry & Najork 2008; NaN if none is relevant."""
    known = np.where(np.isnan(scores), -np.inf, scores)
    total, above, found = 0.0, 0, 0
    for level in np.unique(known)[::-1]:
        n, r = int((known == level).sum()), int(relevant[known == level].sum())
        i = np.arange(n)
        total += float((r / n * (found + i * (r - 1) / max(n - 1, 1) + 1) / (above + i + 1)).sum())
        above, found = above + n, found + r
    return total / found if found else float("nan")


def mean_average_precision(scores: Scores, relevant: NDArray[np.bool_]) -> float:
    """mAP over the queries that have a relevant model; scores and relevant (T, M)."""
    asked = relevant.any(axis=1)
    return mean(np.array([average_precision(*query) for query in zip(scores[asked], relevant[asked], strict=True)]))


def precision_recall_f1(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> Agreement:
    """Of pairs said to be alike and pairs that are."""
    right = int((predicted & actual).sum())
    precision, recall = (right / max(1, int(said.sum())) for said in (predicted, actual))
    return Agreement(precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0)


def mean(values: NDArray[np.floating]) -> float:
    """Mean; NaN of nothing, without a warning."""
    return float(values.mean()) if values.size else float("nan")
