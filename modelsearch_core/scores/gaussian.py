"""Gaussian density of a query under a model, from few samples (Gaussian Density of arXiv 2210.03116, low rank).

With S samples Σ has rank below S, and Σ + 1e-4 I is over-confident in the directions it has not seen. Here Σ keeps its
r strongest axes (probabilistic PCA, Tipping & Bishop 1999) above an absolute floor ε.
μ: mean.  V (r, D), λ (r,): axes of Σ and the variances along them.  d = h − μ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .content import Scores, means
from .samples import BLOCK, Offsets, by_size, one_thread

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
        _, r, D = self.axes.shape
        log_determinant = (D - r) * np.log(self.floor) + np.log(self.variances + self.floor).sum(axis=1)
        return (log_determinant + D * np.log(2 * np.pi)) / 2


def fit(Z: Features, offsets: Offsets, rank: int = 16, floor: float = 1e-3) -> Gaussians:
    """The densities of all models: rank r ≤ min(S−1, `rank`)."""
    M, D = len(offsets) - 1, Z.shape[1]
    axes = np.zeros((M, min(rank, D), D), np.float32)
    variances = np.zeros(axes.shape[:2], np.float32)
    for models, rows in by_size(offsets):
        step = max(1, BLOCK // (2 * rows.shape[1] * D))
        for a in range(0, len(models), step):
            some = models[a : a + step]
            with one_thread():
                principal(np.asarray(Z[rows[a : a + step]], np.float64), axes, variances, some)
    return Gaussians(mean=means(Z, offsets), axes=axes, variances=variances, floor=floor)


def principal(
    samples: NDArray[np.floating], axes: NDArray[np.floating], variances: NDArray[np.floating], models: NDArray[np.intp]
) -> None:
    """Principal axes of samples (g, S, D) into those models' rows, through the smaller of X Xᵀ and XᵀX."""
    S, D = samples.shape[1:]
    X = (samples - samples.mean(axis=1, keepdims=True)) / np.sqrt(max(S - 1, 1))
    wide = S <= D
    gram = X @ X.swapaxes(1, 2) if wide else X.swapaxes(1, 2) @ X
    r = min(S - 1, axes.shape[1])
    eigenvalues, eigenvectors = np.linalg.eigh(gram)
    λ, U = eigenvalues[:, : -r - 1 : -1], np.ascontiguousarray(eigenvectors[:, :, : -r - 1 : -1].swapaxes(1, 2))
    seen = λ > NO_AXIS
    V = U @ X / np.sqrt(np.where(seen, λ, 1))[..., None] if wide else U
    axes[models, :r] = np.where(seen[..., None], V, 0)
    variances[models, :r] = np.where(seen, λ, 0)


def log_density(gaussians: Gaussians, h: Features) -> Scores:
    """log N(h; μ, VᵀΛV + εI), (T, M), by Woodbury: −½[(‖d‖² − ‖Vd‖²)/ε + Σ (v·d)²/(λ+ε)] − normaliser."""
    h = np.asarray(h, np.float32)
    M, r, D = gaussians.axes.shape
    scores = np.empty((len(h), M))
    step = max(1, BLOCK // max(1, len(h) * r))
    for a in range(0, M, step):
        some, V = slice(a, a + step), gaussians.axes[a : a + step]
        on_axes = (h @ V.reshape(-1, D).T).reshape(len(h), len(V), r) - gaussians.mean_on_axes[some]
        scores[:, some] = mahalanobis(squared_distance(h, gaussians.mean[some]), on_axes, gaussians, some)
    return -scores / 2 - gaussians.log_normaliser


def mahalanobis(
    squared: NDArray[np.floating], on_axes: NDArray[np.floating], gaussians: Gaussians, models: slice
) -> NDArray[np.floating]:
    """dᵀ(VᵀΛV + εI)⁻¹d from ‖d‖² (T, g) and Vd (T, g, r)."""
    along = on_axes**2
    off_axes = np.maximum(squared - along.sum(axis=2), 0)
    return off_axes / gaussians.floor + (along / (gaussians.variances[models] + gaussians.floor)).sum(axis=2)


def squared_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """‖a − b‖² of every row with every row."""
    squares = np.einsum("id,id->i", a, a)[:, None] + np.einsum("jd,jd->j", b, b)
    return np.maximum(squares - 2 * (a @ b.T), 0)


def centre(queries: Features, bank_mean: NDArray[np.floating], gallery_mean: NDArray[np.floating]) -> Features:
    """Queries moved from where their modality lies to where the samples lie, before a density is asked."""
    return queries - bank_mean + gallery_mean
