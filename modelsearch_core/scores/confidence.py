"""How likely the first answer is the right one: a logistic of how far it stands out (docs/methods.md 13).

z₁ ≥ z₂: standardised scores of the two best.  x₁, x₂: how far they are beyond what unrelated queries find, in units
of the null distribution's scale.  p = σ(a + b·x₁ + c·ln(1 + x₁ − x₂)), at most the relevance (a, b, c and the cap:
`search/certainty.py`): a lead of many such units says little more than one of a few, and what an unrelated query finds
as well is not meant for its lead. Relevance asks whether anything fits; this, whether something else would fit as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calibration import NullDistribution

STEPS, RIDGE = 50, 1.0


class Confidence(NamedTuple):
    """a, b, c of the logistic."""

    intercept: float
    beyond: float
    lead: float


def features(first: NDArray[np.floating], second: NDArray[np.floating], of: NullDistribution) -> NDArray[np.floating]:
    """(..., 2): x₁ and ln(1 + x₁ − x₂), below 0 where the second is better; a first that is alone leads by as much as
    it is beyond what unrelated queries find."""
    x = (first - of.location) / of.scale
    rival = np.where(np.isfinite(second), (second - of.location) / of.scale, np.minimum(x, 0))
    return np.stack([x, lead(x - rival)], axis=-1)


def lead(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    """ln(1 + x₁ − x₂), mirrored below 0."""
    return np.sign(distance) * np.log1p(np.abs(distance))


def probability(of: Confidence, x: NDArray[np.floating]) -> NDArray[np.floating]:
    """p of `features`, between 0 and 1, whatever the relevance."""
    logit = of.intercept + x @ np.array([of.beyond, of.lead])
    return 1 / (1 + np.exp(-np.clip(logit, -50, 50)))


def fit(x: NDArray[np.floating], right: NDArray[np.bool_], counts: NDArray[np.floating] | None = None) -> Confidence:
    """Of `features` (n, 2) and whether the first was right: logistic regression by Newton's method. Each query counts
    once, or for `counts` (n,).

    A ridge keeps few queries, or queries that are all right, from claiming certainty; neither slope is below 0.
    """
    X, counts = np.column_stack([np.ones(len(x)), x]), np.ones(len(x)) if counts is None else counts
    penalty, w = np.diag([1e-3, RIDGE, RIDGE]), np.zeros(3)
    for free in (np.ones(3, bool), None):
        free = (w > 0) | np.array([True, False, False]) if free is None else free
        w = _newton(X[:, free], right, counts, penalty[np.ix_(free, free)], free)
        if (w[1:] >= 0).all():
            break
    return Confidence(*map(float, w))


def _newton(
    X: NDArray[np.floating],
    right: NDArray[np.bool_],
    counts: NDArray[np.floating],
    penalty: NDArray[np.floating],
    free: NDArray[np.bool_],
) -> NDArray[np.floating]:
    w = np.zeros(X.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(X @ w, -50, 50)))
        gradient = X.T @ (counts * (right - p)) - penalty @ w
        step = np.linalg.solve((X * (counts * p * (1 - p))[:, None]).T @ X + penalty, gradient)
        w = w + step
        if np.abs(step).max() < 1e-9:
            break
    found = np.zeros(len(free))
    found[free] = w
    return found
