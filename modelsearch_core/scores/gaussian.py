"""Gaussian density of a query under a model, from few samples (Gaussian Density of arXiv 2210.03116, low rank).

With S samples Σ has rank below S, and Σ + 1e-4 I is over-confident in the directions it has not seen. Here Σ keeps its
r strongest axes (probabilistic PCA, Tipping & Bishop 1999) above an absolute floor ε.
μ: mean.  V (r, D), λ (r,): axes of Σ and the variances along them.  d = h − μ.

Formulas, sources, constants: docs/methods.md 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .content import Scores, means
from .samples import BLOCK, Offsets, by_size_in_blocks, one_thread, taken

Pair = tuple[NDArray[np.floating], NDArray[np.floating]]

RANK = 16  # r, at most S−1
FLOOR = 1e-3  # ε
NO_AXIS = 1e-12  # variance below which a direction is rounding


@dataclass(frozen=True, kw_only=True)
class Gaussians:
    """N(μ, VᵀΛV + εI) of M models. A model of lower rank than r has zero axes with variance 0, which change nothing."""

    mean: NDArray[np.floating]  # (M, D) μ
    axes: NDArray[np.floating]  # (M, r, D) V
    variances: NDArray[np.floating]  # (M, r) λ
    floor: float  # ε

    @cached_property
    def mean_on_axes(self) -> NDArray[np.floating]:
        """Vμ, (M, r)."""
        return np.matmul(self.axes, self.mean[:, :, None])[..., 0]

    @cached_property
    def log_normaliser(self) -> NDArray[np.floating]:
        """½[(D−r) ln ε + Σ ln(λ+ε)] + (D/2) ln 2π, (M,)."""
        return log_normaliser(self.variances, self.axes.shape[2], self.floor)

    def log_density(self, h: Features) -> Scores:
        return log_density(self, h)


def log_normaliser(λ: NDArray[np.floating], D: int, floor: float) -> NDArray[np.floating]:
    """½[(D−r) ln ε + Σ ln(λ+ε)] + (D/2) ln 2π of λ (M, r), (M,)."""
    log_determinant = (D - λ.shape[1]) * np.log(floor) + np.log(λ + floor).sum(axis=1)
    return (log_determinant + D * np.log(2 * np.pi)) / 2


def fit(Z: Features, offsets: Offsets, rank: int = RANK, floor: float = FLOOR) -> Gaussians:
    """The densities of all models: rank r ≤ min(S−1, `rank`)."""
    M, D = len(offsets) - 1, Z.shape[1]
    axes = np.zeros((M, min(rank, D), D), np.float32)
    variances = np.zeros(axes.shape[:2], np.float32)
    for models, rows in by_size_in_blocks(offsets, 2 * D):
        with one_thread():
            principal(np.asarray(taken(Z, rows), np.float64), axes, variances, models)
    return Gaussians(mean=means(Z, offsets), axes=axes, variances=variances, floor=floor)


def principal(
    samples: NDArray[np.floating], axes: NDArray[np.floating], variances: NDArray[np.floating], models: NDArray[np.intp]
) -> None:
    """Principal axes of samples (g, S, D) into those models' rows."""
    r = min(samples.shape[1] - 1, axes.shape[1])
    X = deviations(samples)
    λ, U = decomposed(X, r)
    axes[models, :r] = axes_of(λ, U, X)
    variances[models, :r] = λ


def deviations(samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """X (..., S, D) with XᵀX = Σ."""
    S = samples.shape[-2]
    return (samples - samples.mean(axis=-2, keepdims=True)) / np.sqrt(max(S - 1, 1))


def decomposed(X: NDArray[np.floating], r: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """λ (..., r) and U (..., r, S) of the strongest axes through the smaller of X Xᵀ and XᵀX, or V (..., r, D) itself
    where there are more samples than features; 0 where a variance is rounding."""
    S, D = X.shape[-2:]
    gram = X @ X.swapaxes(-1, -2) if S <= D else X.swapaxes(-1, -2) @ X
    eigenvalues, eigenvectors = np.linalg.eigh(gram)
    λ, U = eigenvalues[..., : -r - 1 : -1], eigenvectors[..., : -r - 1 : -1].swapaxes(-1, -2)
    seen = λ > NO_AXIS
    return np.where(seen, λ, 0), np.where(seen[..., None], U, 0)


def axes_of(λ: NDArray[np.floating], U: NDArray[np.floating], X: NDArray[np.floating]) -> NDArray[np.floating]:
    """V (..., r, D) = U X/√λ."""
    if X.shape[-2] > X.shape[-1]:
        return U
    return np.ascontiguousarray(U) @ X / _deviations_along(λ)[..., None]


def _deviations_along(λ: NDArray[np.floating]) -> NDArray[np.floating]:
    """√λ to divide by: 1 where there is no axis."""
    return np.sqrt(np.where(λ > 0, λ, 1))


def factors(samples: Features, rank: int = RANK) -> Pair:
    """λ and U of one model's samples (S, D), of which `Factored` makes the density again."""
    with one_thread():
        return decomposed(deviations(np.asarray(samples, np.float64)), min(len(samples) - 1, rank))


def factors_of_all(Z: Features, offsets: Offsets, rank: int = RANK) -> list[Pair]:
    """The same of every model with samples Z (N, D), those of equally many at once."""
    found: list[Pair] = [(np.empty(0), np.empty((0, 0)))] * (len(offsets) - 1)
    for models, rows in by_size_in_blocks(offsets, 4 * Z.shape[1]):
        with one_thread():
            λ, U = decomposed(deviations(taken(Z, rows).astype(np.float64)), min(rows.shape[1] - 1, rank))
        for place, m in enumerate(models):
            found[m] = λ[place], U[place]
    return found


@dataclass(frozen=True)
class Factored:
    """Densities of models whose samples Z (N, D) are at hand, and λ (r,) and U of each: no axis is ever formed.

    `mean` (M, D) stands for μ where a density is moved.
    """

    Z: Features
    offsets: Offsets
    λ: Sequence[NDArray[np.floating]]
    U: Sequence[NDArray[np.floating]]
    mean: NDArray[np.floating]
    floor: float = FLOOR

    def log_density(self, h: Features) -> Scores:
        """log N(h; μ, VᵀΛV + εI), (T, M): as `log_density` of the axes V = U X/√λ, since V d = U (X d)/√λ, and X d are
        the centred products of the samples with d."""
        h, D = np.asarray(h, np.float32), self.Z.shape[1]
        scores = np.empty((len(h), len(self.offsets) - 1))
        for models, rows in by_size_in_blocks(self.offsets, max(len(h), D)):
            with one_thread():
                scores[:, models] = self._of(models, taken(self.Z, rows), h)
        return scores

    def _of(self, models: NDArray[np.intp], Z: NDArray[np.floating], h: Features) -> Scores:
        """Of models with samples (g, S, D): (T, g)."""
        λ, U = (np.stack([of[m] for m in models]).astype(np.float32) for of in (self.λ, self.U))
        mean, (S, D) = self.mean[models], Z.shape[1:]
        if D < S:
            along = np.matmul(U, h.T) - np.matmul(U, mean[:, :, None])  # (g, r, T)
        else:
            products = np.matmul(Z, h.T) - np.matmul(Z, mean[:, :, None])  # (g, S, T)
            products -= products.mean(axis=1, keepdims=True)
            along = np.matmul(U, products) / (_deviations_along(λ) * np.sqrt(max(S - 1, 1)))[..., None]
        along = along.swapaxes(1, 2).swapaxes(0, 1)  # (T, g, r)
        distance = mahalanobis(squared_distance(h, mean), along, λ, self.floor)
        return -distance / 2 - log_normaliser(λ, D, self.floor)


def log_density(gaussians: Gaussians, h: Features) -> Scores:
    """log N(h; μ, VᵀΛV + εI), (T, M), by Woodbury: −½[(‖d‖² − ‖Vd‖²)/ε + Σ (v·d)²/(λ+ε)] − normaliser."""
    h = np.asarray(h, np.float32)
    M, r, D = gaussians.axes.shape
    scores = np.empty((len(h), M))
    step = max(1, BLOCK // max(1, len(h) * r))
    for a in range(0, M, step):
        some, V = slice(a, a + step), gaussians.axes[a : a + step]
        on_axes = (h @ V.reshape(-1, D).T).reshape(len(h), len(V), r) - gaussians.mean_on_axes[some]
        scores[:, some] = mahalanobis(
            squared_distance(h, gaussians.mean[some]), on_axes, gaussians.variances[some], gaussians.floor
        )
    return -scores / 2 - gaussians.log_normaliser


def mahalanobis(
    squared: NDArray[np.floating], on_axes: NDArray[np.floating], λ: NDArray[np.floating], floor: float
) -> NDArray[np.floating]:
    """dᵀ(VᵀΛV + εI)⁻¹d from ‖d‖² (T, g), Vd (T, g, r) and λ (g, r)."""
    along = on_axes**2
    off_axes = np.maximum(squared - along.sum(axis=2), 0)
    return off_axes / floor + (along / (λ + floor)).sum(axis=2)


def squared_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """‖a − b‖² of every row with every row."""
    squares = np.einsum("id,id->i", a, a)[:, None] + np.einsum("jd,jd->j", b, b)
    return np.maximum(squares - 2 * (a @ b.T), 0)
