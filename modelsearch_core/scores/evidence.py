"""What cheap evidence says of the score that generated pictures would give: shrinkage by worth (Efron & Morris 1977).

z_e: a model's standardised score under evidence e (its name, pictures found beside it).  z: the one under generated
pictures.  û_e, û: their means over the models of a query, σ_e, σ: their spreads around these.  ρ: worth of the
evidence, the correlation of z_e − û_e and z − û over models that have both. What is known of z is then a normal with
mean û + ρ·σ/σ_e·(z_e − û_e) and deviation σ·√(1 − ρ²); models are ranked by the mean. So the best of many names is as
extreme as the best of as many pictures, but only ρ times as convincing.

Formulas, sources, constants: docs/methods.md 12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Z = NDArray[np.floating] | float

PRIOR = 8.0  # models that a default of ρ counts for beside those of a collection
TOP = 0.2  # share of a query's models that worth is read from
SHARED = 0.5  # φ: share of a model's variance that is left where all models were asked alike
TASTE = 0.25  # t of users, at least: what texts ask for suffers more from it than a mean does
FEW = 4.0  # models that "as usual" counts for beside those whose mean says how usual a query is


def within(z: NDArray[np.floating]) -> NDArray[np.floating]:
    """z − û of scores (..., n), NaN where a query must not count for a model."""
    known = np.isfinite(z)
    mean = np.where(known, z, 0).sum(axis=-1, keepdims=True) / np.maximum(known.sum(axis=-1, keepdims=True), 1)
    return z - mean


def spread(z: NDArray[np.floating]) -> float:
    """σ of scores (..., n) around their queries' means; 1 where nothing varies."""
    values = within(z)
    found = float(np.sqrt(np.nanmean(values**2))) if np.isfinite(values).any() else 0.0
    return found or 1.0


def worth(z_e: NDArray[np.floating], z: NDArray[np.floating], share: float = TOP) -> float:
    """ρ of scores (..., n) of the same queries and models; 0 where evidence says nothing, or the opposite.

    What is asked of ρ is how good a model is that its evidence calls one of the best, so it is the slope through these
    (Σ ab/Σ a² of a, b in units of their spreads). Of normals that is the correlation; of pictures that agree by their
    subject only it is less, and their correlation would promise too much.
    """
    both = np.isfinite(z_e) & np.isfinite(z)
    if not both.any():
        return 0.0
    a, b = (within(np.where(both, scores, np.nan))[both] for scores in (z_e, z))
    best = a >= np.quantile(a, 1 - share)
    a, b = a / (a.std() or 1), b / (b.std() or 1)
    squares = float((a[best] ** 2).sum())
    return min(1.0, max(0.0, float((a[best] * b[best]).sum()) / squares)) if squares else 0.0


def pulled(value: float, models: int, default: float, prior: float = PRIOR) -> float:
    """(n·value + n₀·default)/(n + n₀): what n models say, pulled towards a default that counts for n₀ of them."""
    return (models * value + prior * default) / (models + prior)


def of_pictures(S: NDArray[np.integer] | int, most: float) -> NDArray[np.floating]:
    """ρ of S pictures found beside a model, `most`·√(S/(S + 1)): they are of one taste, so many say little more."""
    n = np.asarray(S, float)
    return most * np.sqrt(n / (n + 1))


def expected(z_e: Z, rho: Z, *, usual_e: Z, usual: Z, ratio: Z) -> NDArray[np.floating]:
    """û + ρ·σ/σ_e·(z_e − û_e), of numbers or arrays that fit each other; `ratio` is σ/σ_e."""
    return np.asarray(usual + rho * ratio * (z_e - usual_e))


def deviation(rho: NDArray[np.floating] | float) -> NDArray[np.floating]:
    """√(1 − ρ²), how far z may lie from that in units of σ: 0 for what was measured."""
    return np.sqrt(1 - np.asarray(rho, float) ** 2)


def as_generated(n: NDArray[np.integer] | int, taste: float) -> NDArray[np.floating]:
    """How many generated pictures n of a user's own count for in a mean: φ/(1/n + t), at most φ/t.

    σ²: variance of a model's pictures.  t: taste, b²/σ², by how much what a user asks for is off from what probes ask.
    A mean of n of them is off by σ²/n + b²; one of S generated pictures by φσ²/S, since all models are asked the same.
    """
    return SHARED / (1 / np.asarray(n, float) + taste)


def taste_of(apart: NDArray[np.floating], S: NDArray[np.integer], n: NDArray[np.integer], variance: float) -> float:
    """t of means of n pictures less those of S generated ones of the same models, `apart` (B, D); what these have in
    common is no taste. 0 at least."""
    B = len(apart)
    squares = (within(apart.T).T ** 2).sum(axis=1) * (B / max(B - 1, 1))
    return max(0.0, float((squares / variance - 1 / n - SHARED / S).mean()))
