"""Scores made comparable by asking what background queries would have scored (docs/methods.md 10, 13).

Bank: scores (B, M) of B background queries (generic names, the index's own prompts and pictures); NaN where a query
must not count for a model, such as a picture of its own. Hubs: models that are near to every query (Radovanović et
al. 2010). z: a score in units of its group's spread over the bank.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .content import Scores

WEAK_BELOW = 0.5  # relevance under which a match is called weak: half of all background queries find a better one
SKEWED = 1.0  # N_10 skewness above which hubs are worth correcting
ENOUGH = 8  # finite bank scores that a group needs to be measured by the bank alone
ALPHA = 0.5  # how much of a hub's bias is taken off: NNN has .25–.5 for a small or foreign bank
USUAL = 0.2  # how much of what a model usually gets is, where there are no marked hubs; by docs/results_trust.md
SHARED = 100.0  # models of a kind from which on it is measured rather by itself than with the other kinds
TAIL = 0.9  # where `relevance` leaves the logistic


def mean_of_top(scores: Scores, k: int, axis: int = 0) -> NDArray[np.floating]:
    """Mean of the k largest finite scores along an axis; of all where there are fewer, 0 where there are none."""
    known = np.where(np.isfinite(scores), scores, -np.inf)
    top = -np.sort(-known, axis=axis).take(np.arange(min(k, scores.shape[axis])), axis=axis)
    finite = np.isfinite(top)
    return np.where(finite, top, 0).sum(axis=axis) / np.maximum(finite.sum(axis=axis), 1)


def hub_bias(bank_scores: Scores, k: int = 16) -> NDArray[np.floating]:
    """Mean of the k largest scores that a model gives to background queries, (M,): NNN (Chowdhury et al. 2024).

    A model that no background query was compared with gets the median of the others.
    """
    bias, compared = mean_of_top(bank_scores, k), np.isfinite(bank_scores).any(axis=0)
    return np.where(compared, bias, np.median(bias[compared]) if compared.any() else 0)


def usual(bank_scores: Scores) -> NDArray[np.floating]:
    """The median score that each model gives to background queries, (M,); that of the others where it has none."""
    compared = np.isfinite(bank_scores).any(axis=0)
    medians = np.zeros(bank_scores.shape[1])
    medians[compared] = np.nanmedian(np.where(np.isfinite(bank_scores), bank_scores, np.nan)[:, compared], axis=0)
    return np.where(compared, medians, np.median(medians[compared]) if compared.any() else 0)


def n10(bank_scores: Scores, n: int = 10) -> NDArray[np.floating]:
    """N_10 (M,): in how many background queries' first ten a model is; models that tie share the places left."""
    known = np.where(np.isfinite(bank_scores), bank_scores, -np.inf)
    last = np.sort(known, axis=1)[:, -min(n, known.shape[1]), None]
    above, level = known > last, (known == last) & np.isfinite(known)
    left = min(n, known.shape[1]) - above.sum(axis=1, keepdims=True)
    return (above + left / np.maximum(level.sum(axis=1, keepdims=True), 1) * level).sum(axis=0)


def n10_skewness(bank_scores: Scores, n: int = 10) -> float:
    """Skewness of N_10: above 1 a few models are in everyone's answer. 0 where all models are in as many."""
    counts = n10(bank_scores, n)
    deviation = counts - counts.mean()
    spread = deviation.std()
    return float((deviation**3).mean() / spread**3) if spread > 1e-9 * len(bank_scores) else 0.0


def when_to_correct(bank_scores: Scores) -> bool:
    """Whether hubs are marked enough for taking them off to help."""
    return n10_skewness(bank_scores) > SKEWED


def location_and_scale(scores: Scores) -> tuple[float, float]:
    """Of the finite ones: median, and half the distance of the 16 % and 84 % quantiles (a normal's σ); 0 and 1 where
    there is none. z is (score − location)/scale."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return 0.0, 1.0
    low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
    return float(middle), positive((high - low) / 2, middle)


def shared(
    own: tuple[float, float], common: tuple[float, float], models: int, prior: float = SHARED
) -> tuple[float, float]:
    """Location and scale of a kind of n models, pulled towards those of all kinds that were asked the same.

    A few checkpoints among LoRA are clouds in one space with them; measured apart, they would all be average.
    """
    n = models / (models + prior)
    return n * own[0] + (1 - n) * common[0], n * own[1] + (1 - n) * common[1]


def of_several(bank_scores: Scores, owner: NDArray[np.integer], T: int, seed: int = 0) -> Scores:
    """What T queries of one owner at once get (B, M): each row's mean with T − 1 others of its owner, drawn at random.

    An owner of fewer rows has all of them in each.
    """
    if T < 2:
        return bank_scores
    rng, together = np.random.default_rng(seed), np.empty(bank_scores.shape)
    for who in np.unique(owner):
        rows = np.flatnonzero(owner == who)
        for row in rows:
            others = rng.permutation(rows[rows != row])[: T - 1]
            together[row] = bank_scores[[row, *others]].mean(axis=0)
    return together


def owners_share(h: Features, owner: NDArray[np.integer], middle: Features) -> float:
    """Which part of how features (B, D) vary about `middle` (D,) those of one owner have in common: Σ hᵢ·hⱼ over its
    pairs by Σ |h|² (intraclass correlation). NaN where no owner has two, or all are the same."""
    h = h - middle
    alike = [_of_pairs(h[owner == who]) for who in np.unique(owner) if (owner == who).sum() > 1]
    vary = float((h**2).sum(axis=1).mean()) if alike else 0.0
    return float(np.mean(alike)) / vary if vary > 0 else np.nan


def _of_pairs(rows: Features) -> float:
    n = len(rows)
    return float(((rows.sum(axis=0) ** 2).sum() - (rows**2).sum()) / (n * (n - 1)))


def as_many(h: Features, share: float, middle: Features) -> float:
    """As how many of the background's pictures of one owner T pictures (T, D) count, at least 1.

    The mean of n of these keeps r + (1 − r)/n of the variance of one, r their `owners_share`; that of the T keeps g,
    which they say themselves. Pictures of one thing are more alike than a model's answers to probes, copies of one
    picture are one picture.
    """
    h = h - middle
    total = float((h**2).sum())
    kept = float((h.sum(axis=0) ** 2).sum()) / (len(h) * total) if total > 0 else 1.0
    return max(1.0, (1 - share) / (kept - share)) if kept > share else np.inf


def of_views(scores: Scores, views: int, others: Scores) -> Scores:
    """Scores (T·V, M) of V views of each of T queries as (T, M): their mean, each view on the same scale, and the mean
    as far spread as a view is.

    A view that lies far from every model spreads its scores widely, and says no more by that; nor do views that agree
    in little say less than one. `others` (T·V, n) are the scores of models that do not depend on who is asked about;
    where none of them is known, views are taken as they are.
    """
    if views < 2:
        return scores
    each, known = (rows.reshape(len(rows) // views, views, rows.shape[1]) for rows in (scores, others))
    middle, spread = _location_and_scale(known)
    mean, of_others = (((rows - middle) / _or_one(spread)).mean(axis=1) for rows in (each, known))
    level = mean / _or_one(_location_and_scale(of_others)[1])
    return level * spread.mean(axis=1) + middle.mean(axis=1)


def _location_and_scale(scores: Scores) -> tuple[Scores, Scores]:
    """Mean and standard deviation along the last axis, which stays with length 1, of what is known; 0 and 1 where
    nothing is."""
    known = ~np.isnan(scores)
    n = known.sum(axis=-1, keepdims=True)
    mean = np.sum(scores, axis=-1, keepdims=True, where=known) / np.maximum(n, 1)
    variance = np.sum((scores - mean) ** 2, axis=-1, keepdims=True, where=known) / np.maximum(n, 1)
    return mean, np.where(n > 0, np.sqrt(variance), 1)


def _or_one(spread: Scores) -> Scores:
    """To divide by."""
    return np.where(spread > 0, spread, 1)


def test_normed(scores: Scores, others: Scores) -> Scores:
    """Scores (T, M) of each query less the mean of what it gets from `others` (T, n), in units of their spread: test
    normalisation (Auckenthaler et al. 2000). As they are where there are hardly any others."""
    if others.shape[1] < ENOUGH:
        return scores
    middle, spread = _location_and_scale(others)
    return (scores - middle) / _or_one(spread)


def positive(scale: float, location: float) -> float:
    """A scale to divide by: 1 where all values were equal but for rounding."""
    return float(scale) if scale > 1e-6 * max(1.0, abs(location)) else 1.0


class NullDistribution(NamedTuple):
    """The logistic through the median and the 90 % quantile of background queries' best matches."""

    location: float
    scale: float


def null_distribution(bank_z: Scores) -> NullDistribution:
    """How good the best match of a background query is, from the bank's own z (B, M)."""
    return null_of(np.max(bank_z, axis=1, initial=-np.inf, where=np.isfinite(bank_z)))


def null_of(best: NDArray[np.floating]) -> NullDistribution:
    """The same of the queries' best matches (B,)."""
    best = best[np.isfinite(best)]
    if not len(best):
        return NullDistribution(0.0, 1.0)
    middle, high = np.quantile(best, [0.5, TAIL])
    return NullDistribution(float(middle), positive((high - middle) / np.log(TAIL / (1 - TAIL)), middle))


def best_of_more(z: Scores, M: int) -> NDArray[np.floating]:
    """The best z (B,) of each query among M models of which n are sampled (B, n); −inf where it has none.

    The best of twice as many is better by as much as the whole sample's is than a half's: exact for the exponential
    tails to which maxima tend (Gumbel), so that ln(M/n)/ln 2 doublings make up for what was not sampled.
    """
    best = np.max(z, axis=1, initial=-np.inf, where=np.isfinite(z))
    n = z.shape[1]
    if n < 2 or n >= M:
        return best
    halves = [np.max(z[:, turn::2], axis=1, initial=-np.inf, where=np.isfinite(z[:, turn::2])) for turn in (0, 1)]
    both = np.isfinite(halves[0]) & np.isfinite(halves[1])
    growth = float(np.mean([(best - half)[both].mean() for half in halves])) if both.any() else 0.0
    return best + growth * np.log2(M / n)


def relevance(z: NDArray[np.floating], null: NullDistribution) -> NDArray[np.floating]:
    """0–1: the share of background queries whose own best match is less convincing than z; NaN gives 0.

    The empirical share is smoothed by a logistic; above its 90 % by a Pareto tail that joins it with the same slope
    and falls with the square, so that matches far beyond the whole bank still differ.
    """
    x = (z - null.location) / null.scale
    joint = np.log(TAIL / (1 - TAIL))
    body = 1 / (1 + np.exp(-np.clip(x, -700, joint)))
    beyond = np.maximum(x - joint, 0)
    return np.nan_to_num(np.where(x > joint, 1 - (1 - TAIL) / (1 + TAIL * beyond / 2) ** 2, body), nan=0.0)
