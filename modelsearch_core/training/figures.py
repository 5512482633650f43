"""How well style vectors tell who made a picture: the two automatic evaluations of the paper (sections 4.2 and 4.3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..embedding import Features
from ..evaluation import Agreement, mean_reciprocal_rank, precision_recall_f1, top_k_accuracy
from ..ranking import from_distance
from ..scores.samples import offsets_of
from ..scores.style import Distances, mean_style_distances
from .labels import Labels, Numbers, Split

PAIRS = 10_000


class Ranking(NamedTuple):
    """Of the true model of each query."""

    mrr: float
    top1: float
    models: int
    queries: int


def same_model_pairs(labels: Labels, rng: np.random.Generator, count: int = PAIRS) -> tuple[Numbers, Numbers]:
    """(right, wrong) pairs of pictures, (n, 2) each: two subjects by one model; one subject by two models."""
    a, b = rng.integers(len(labels), size=(2, 40 * count))
    same_model, same_subject = (of[a] == of[b] for of in (labels.models, labels.subjects))
    pairs = np.stack([a, b], axis=1)
    return pairs[same_model & ~same_subject][:count], pairs[~same_model & same_subject][:count]


def pair_agreement(V: Features, labels: Labels, rng: np.random.Generator) -> Agreement:
    """Precision, recall and F1 of "made by the same model", at the threshold with the highest F1.

    As many right as wrong pairs are asked, so always saying yes has an F1 of 2/3.
    """
    right, wrong = same_model_pairs(labels, rng)
    n = min(len(right), len(wrong))
    pairs = np.concatenate([right[:n], wrong[:n]])
    distances = np.linalg.norm(V[pairs[:, 0]] - V[pairs[:, 1]], axis=1)
    actual = np.arange(2 * n) < n
    return best_f1(distances, actual) if n else Agreement(0.0, 0.0, 0.0)


def best_f1(distances: Distances, actual: np.ndarray) -> Agreement:
    """At whichever distance as a threshold gives the highest F1."""
    order = np.argsort(distances, kind="stable")
    right = np.cumsum(actual[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + actual.sum())
    f1[:-1][np.diff(distances[order]) == 0] = 0  # a threshold takes all pairs of one distance, or none
    threshold = distances[order[int(np.argmax(f1))]]
    return precision_recall_f1(distances <= threshold, actual)


def ranking(V: Features, labels: Labels, split: Split) -> Ranking:
    """Where the true model of each query stands among all models, by the mean distance to their reference pictures."""
    queries, references = split.queries(labels), split.references(labels)
    order = np.flatnonzero(references)[np.argsort(labels.models[references], kind="stable")]
    models, counts = np.unique(labels.models[order], return_counts=True)
    scores = from_distance(mean_style_distances(V[order], offsets_of(counts), V[queries]))
    targets = np.searchsorted(models, labels.models[queries])
    return Ranking(
        mean_reciprocal_rank(scores, targets), top_k_accuracy(scores, targets), len(models), int(queries.sum())
    )
