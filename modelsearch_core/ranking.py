"""From scores to an order: several inputs at once, ties, diversity, duplicates. The only place that flips a sign.

docs/methods.md 11.

z (M,): standardised scores of M models (`search.yardstick`), NaN where a model cannot be compared.
Signatures (M, D): what tells models apart, rows with the common part taken off: directions, or means less their mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .embedding import unit
from .scores.samples import BLOCK

WORDS_WEIGHT = 0.5  # of the author's words beside what was measured
FEW = 4096  # scores that are sorted as fast as the best of them are found
STRETCHES, SHORT = 16, 64  # for each of the k best; scores in each, from which on that is worth while
NEAR = 0.5  # cosine of signatures above which two models give the same sort of pictures


def from_distance(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    """A score: what is near comes first."""
    return -distance


def combine(experts: Sequence[tuple[NDArray[np.floating], float]]) -> NDArray[np.floating]:
    """Product of experts: Σ weight·z / sqrt(Σ weight²), (..., M) (Hinton 2002; section 7 of arXiv 2210.03116).

    A negative weight asks for less of something: beside what is wanted it counts against models that are like it, and
    not for those that are especially unlike it, so it never makes a model better. The root, over what is wanted, keeps
    the spread of one expert, so that a relevance holds for any number of inputs. An expert that cannot judge a model
    counts as its background median, 0; NaN where none can.
    """
    if not experts:
        raise ValueError("0 experts to combine; give one or more")
    z, weights = np.stack([scores for scores, _ in experts]), np.array([weight for _, weight in experts])
    judged = np.nan_to_num(z, nan=0.0)
    if (weights > 0).any():
        judged[weights < 0] = np.maximum(judged[weights < 0], 0)
    total = np.tensordot(weights, judged, axes=1) / length(weights)
    return np.where(np.isnan(z).all(axis=0), np.nan, total)


def length(weights: Sequence[float] | NDArray[np.floating]) -> float:
    """What a weighted sum is divided by: the root of the squares of the weights of what is wanted."""
    all_of_them = np.asarray(weights, float)
    wanted = all_of_them[all_of_them > 0]
    return max(float(np.linalg.norm(wanted if len(wanted) else all_of_them)), 1e-12)


def fuse(
    measured: NDArray[np.floating], words: NDArray[np.floating], weight: float = WORDS_WEIGHT
) -> NDArray[np.floating]:
    """Measured z with the z of the author's words, NaN for a model without any. Words speak for a model and never
    against it: a name that says nothing is as far from a query as one that says something else."""
    return measured + weight * np.maximum(np.nan_to_num(words, nan=0.0), 0)


def refine(z: NDArray[np.floating], finer: NDArray[np.floating], first: int) -> NDArray[np.floating]:
    """The `first` best of z (M,) in the order of a finer judgement; the others stay behind them, in the order of z."""
    refined, order = np.array(z, float), rank(z)
    judged = order[~np.isnan(z[order])]
    best, others = judged[:first], judged[first:]
    refined[best] = finer[best]
    if len(others):
        refined[others] -= max(0.0, float(z[others[0]] - refined[best].min()))
    return refined


def rank(scores: NDArray[np.floating], k: int | None = None) -> NDArray[np.intp]:
    """The k best models, best first; equal scores in the models' own order, NaN last."""
    if k is None or k >= len(scores) or len(scores) <= FEW:
        return np.argsort(-np.asarray(scores, float), kind="stable")[:k]
    known = np.flatnonzero(~np.isnan(scores))
    if len(known) < len(scores):
        best = known[rank(scores[known], k)]
        return np.concatenate([best, np.flatnonzero(np.isnan(scores))[: k - len(best)]])
    best = first(scores, k)
    return best[np.argsort(-np.asarray(scores[best], float), kind="stable")]


def first(scores: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """The k best models in their own order, among equals the first ones; without sorting the others. NaN is worst."""
    if k >= len(scores):
        return np.arange(len(scores))
    known = np.where(np.isnan(scores), -np.inf, scores)
    near = _near(known, k)
    of = known[near]
    last = np.partition(of, len(of) - k)[len(of) - k]
    better, level = near[of > last], near[of == last]
    return np.sort(np.concatenate([better, level[: k - len(better)]]))


def _near(scores: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """All but scores that cannot be among the k best: those below the k-th best of the best of each stretch."""
    width = len(scores) // (STRETCHES * max(1, k))
    if width < SHORT:
        return np.arange(len(scores))
    whole = len(scores) // width * width
    best = scores[:whole].reshape(-1, width).max(axis=1)
    return np.flatnonzero(scores >= np.partition(best, len(best) - k)[len(best) - k])


def diverse(
    order: NDArray[np.intp], signatures: NDArray[np.floating], k: int, near: float = NEAR, pool: int = 5
) -> NDArray[np.intp]:
    """k models of an order, the best of every cluster before anyone's second (LoRAverse, ICCV 2025).

    Going down the first `pool`·k of the order, a model with a cosine of `near` to one already taken waits for the next
    round.
    """
    first = order[: pool * k]
    s = unit(signatures[first].astype(np.float32))
    alike = s @ s.T >= near
    waiting, taken = list(range(len(first))), list[int]()
    while waiting and len(taken) < k:
        taken += (found := leaders(waiting, alike))
        waiting = [i for i in waiting if i not in found]
    return first[taken[:k]]


def leaders(waiting: Sequence[int], alike: NDArray[np.bool_]) -> list[int]:
    """Of those in order, the ones not alike to a leader before them."""
    found: list[int] = []
    for i in waiting:
        if not alike[i, found].any():
            found.append(i)
    return found


def near_pairs(signatures: NDArray[np.floating], threshold: float) -> Iterator[tuple[int, int, float]]:
    """(i, j, cosine) of every two models i < j with a cosine of `threshold` or more."""
    s = unit(signatures.astype(np.float32))
    step = max(1, BLOCK // max(1, len(s)))
    for a in range(0, len(s), step):
        cosine = s[a : a + step] @ s.T
        for i, j in np.argwhere(np.triu(cosine >= threshold, k=a + 1)):
            yield a + int(i), int(j), float(cosine[i, j])
