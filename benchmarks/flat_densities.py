"""Densities of many models as rows of one matrix, so that one product says which may be the densest at a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelsearch_core.embedding import Features
from modelsearch_core.ranking import rank
from modelsearch_core.scores.coarse import Coarse
from modelsearch_core.scores.gaussian import log_normaliser

# numbers of a row: of a mean, of what its axes take from it, of axes' products
ACROSS, SHIFTED, PRODUCTS = 192, 64, 574
AT_ONCE = 1000  # models

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Layout:
    """Rows whose product with a picture is nearly its density, and with a text nearly 1st Moment.

    ν = μ − c.  x = h − c.  W: a density's axes in the basis, s = λ/(λ+ε), S = WᵀsW, Z its normaliser:
    2ε log N(h) = −‖x‖² + 2x·ν − ‖ν‖² + (x−ν)ᵀS(x−ν) − 2ε Z, which is linear in ν, Sν, one number, and the products of S.
    Of ν, Sν and the products what varies most among models and pictures is kept.
    """

    centre: Array  # (D,) c
    across: Array  # (n, D) axes of the means
    basis: Array  # (K, D) of the densities
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]]

    @classmethod
    def of(cls, some: Coarse, pictures: Features) -> Layout:
        centre = some.mean.mean(axis=0)
        across = np.linalg.svd(some.mean - centre, full_matrices=False)[2][:ACROSS]
        pairs = np.triu_indices(len(some.basis))
        whole, (i, j) = cls(centre, across, some.basis, pairs), pairs
        x = (pictures - centre) @ some.basis.T
        products = whole.rows(some.some(np.arange(min(2000, len(some.mean)))))[:, -len(i) :]
        counts = products.var(axis=0) * (x[:, i] * x[:, j] * np.where(i == j, 1, 2)).var(axis=0)
        best = np.sort(rank(counts, PRODUCTS))
        return cls(centre, across, some.basis, (i[best], j[best]))

    def rows(self, of: Coarse) -> Features:
        """(M, n)"""
        M = len(of.mean)
        return np.concatenate([self._rows(of.some(np.arange(a, min(a + AT_ONCE, M)))) for a in range(0, M, AT_ONCE)])

    def _rows(self, of: Coarse) -> Features:
        W, D = of.rows["axes"].astype(np.float32) * of.rows["step"][:, None, None], of.mean.shape[1]
        λ, ν, (i, j) = of.rows["variances"], of.mean - self.centre, self.pairs
        s, along = λ / (λ + of.floor), np.einsum("mrk,mk->mr", W, ν @ of.basis.T)
        shifted = np.einsum("mrk,mr->mk", W[:, :, :SHIFTED], s * along)
        level = (s * along**2).sum(axis=1) - (ν**2).sum(axis=1) - 2 * of.floor * log_normaliser(λ, D, of.floor)
        products = (W.swapaxes(1, 2) @ (W * s[:, :, None]))[:, i, j]
        return np.hstack([ν @ self.across.T, shifted, level[:, None], of.rows["length"][:, None], products])

    def picture(self, h: Array) -> Array:
        x, (i, j) = h - self.centre, self.pairs
        along = self.basis @ x
        products = along[i] * along[j] * np.where(i == j, 1, 2)
        return np.concatenate([2 * self.across @ x, -2 * along[:SHIFTED], [1, 0], products]).astype(np.float32)

    def text(self, h: Array) -> Array:
        """h·μ / ‖μ‖, all lengths being nearly that of c."""
        shifted = len(self.basis[:SHIFTED])
        rest = np.zeros(shifted + 2 + len(self.pairs[0]))
        rest[shifted + 1] = -float(h @ self.centre) / float(np.linalg.norm(self.centre))
        return np.concatenate([self.across @ h, rest]).astype(np.float32)
