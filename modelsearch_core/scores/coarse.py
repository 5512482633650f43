"""Densities of all models in a few bytes each, by which those are chosen whose samples are worth reading.

What pictures show varies in much the same way whoever made them, so the axes V of all models' densities
(`scores.gaussian`) nearly lie in K ≪ D directions that they share: B (K, D), the strongest of Σ VᵀΛV over models.
W = V Bᵀ (r, K): a model's axes there, a byte a number.  μ: mean.  d = h − μ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .content import CLIP_TEMPERATURE, Scores
from .gaussian import FLOOR, RANK, log_normaliser, mahalanobis, squared_distance
from .samples import BLOCK, one_thread

WIDTH = 96  # K: an eighth of CLIP's directions hold nine tenths of what varies
LEVELS = 127
BEST_EIGHTH = 1.65  # how many deviations above the mean the best eighth of a normal is, in the mean

Rows = NDArray[Any]  # (M,) of `row_type`


def row_type(width: int) -> np.dtype[np.void]:
    """What is kept of a model: W = step · axes, λ, and the length of μ, whose direction is known anyway."""
    fields = [("axes", np.int8, (RANK, width)), ("step", "<f4"), ("variances", "<f4", (RANK,)), ("length", "<f4")]
    return np.dtype(fields)


def basis(axes: NDArray[np.floating], variances: NDArray[np.floating], width: int = WIDTH) -> NDArray[np.float32]:
    """B (K, D) of models' axes (n, r, D) and variances (n, r), orthonormal."""
    along = (axes * np.sqrt(variances)[..., None]).reshape(-1, axes.shape[-1])
    with one_thread():
        _, directions = np.linalg.eigh(along.T @ along)
    return np.ascontiguousarray(directions[:, ::-1].T[:width], np.float32)


def rows_of(
    axes: NDArray[np.floating], variances: NDArray[np.floating], means: Features, B: NDArray[np.floating]
) -> Rows:
    """(g,) of densities with axes (g, r, D), variances (g, r) and means (g, D)."""
    rows = np.zeros(len(axes), row_type(len(B)))
    W, r = axes @ B.T, axes.shape[1]
    step = np.abs(W).max(axis=(1, 2), initial=0) / LEVELS
    rows["axes"][:, :r] = np.rint(W / np.where(step > 0, step, 1)[:, None, None])
    rows["variances"][:, :r] = variances
    rows["step"], rows["length"] = step, np.linalg.norm(means, axis=1)
    return rows


@dataclass(frozen=True)
class Coarse:
    """Of M models with means (M, D)."""

    basis: NDArray[np.float32]  # (K, D) B
    rows: Rows  # (M,)
    mean: Features  # (M, D) μ
    floor: float = FLOOR

    def some(self, models: NDArray[np.intp]) -> Coarse:
        return Coarse(self.basis, self.rows[models], self.mean[models], self.floor)

    def log_density(self, h: Features) -> Scores:
        """log N(h; μ, VᵀΛV + εI), (T, M), as if the axes had no part outside B."""
        h, D = np.asarray(h, np.float32), self.mean.shape[1]
        along, λ = self._on_axes(h) - self._mean_on_axes, self.rows["variances"]
        distance = mahalanobis(squared_distance(h, self.mean), along, λ, self.floor)
        return -distance / 2 - log_normaliser(λ, D, self.floor)

    def best_k(self, h: Features) -> Scores:
        """What the mean cosine of the nearest eighth of a model's samples would be, were they normal: (T, M)."""
        h = np.asarray(h, np.float32)
        deviation = np.sqrt(np.einsum("tmr,mr->tm", self._on_axes(h) ** 2, self.rows["variances"]))
        return h @ self.mean.T + BEST_EIGHTH * deviation

    def monte_carlo(self, h: Features, temperature: float = CLIP_TEMPERATURE) -> Scores:
        """The log of the mean of exp(z·h/τ) is the nearest samples' doing, (T, M)."""
        return self.best_k(h) / temperature

    @cached_property
    def _mean_on_axes(self) -> NDArray[np.floating]:
        """Vμ, (M, r)."""
        found, step = np.empty((len(self.mean), RANK), np.float32), self._at_once
        for a in range(0, len(self.mean), step):
            some = slice(a, a + step)
            found[some] = np.matmul(self._axes(some), (self.mean[some] @ self.basis.T)[:, :, None])[..., 0]
        return found

    def _on_axes(self, h: Features) -> NDArray[np.floating]:
        """Vh, (T, M, r)."""
        M, K = len(self.mean), len(self.basis)
        found, along = np.empty((len(h), M, RANK), np.float32), h @ self.basis.T
        for a in range(0, M, self._at_once):
            some = slice(a, a + self._at_once)
            found[:, some] = (along @ self._axes(some).reshape(-1, K).T).reshape(len(h), -1, RANK)
        return found

    def _axes(self, some: slice) -> NDArray[np.floating]:
        return self.rows["axes"][some].astype(np.float32) * self.rows["step"][some, None, None]

    @property
    def _at_once(self) -> int:
        return max(1, BLOCK // (4 * RANK * len(self.basis)))
