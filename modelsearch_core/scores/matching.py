"""Learned matching: a matrix between queries and statistics (section 3.2 of arXiv 2210.03116; docs/methods.md 3).

A: (D, D), or (D,) for a diagonal one. 1st Moment: cosine of A·μ̃ and A·h. Gaussian: log N(h; μ, AΣAᵀ), which with
B = A⁻¹ is log N(Bh; Bμ, Σ) + log|B|, the last term the same for all models; so it is B that is kept, and Σ stays as is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from .coarse import Coarse
from .content import Scores
from .gaussian import Factored, Gaussians

Matrix = NDArray[np.floating]


def transformed(matrix: Matrix, rows: Features) -> Features:
    """matrix · row for every row, (n, D)."""
    rows = np.asarray(rows, np.float32)
    return rows * matrix if matrix.ndim == 1 else rows @ matrix.T


def learned_first_moment(A: Matrix, means_unit: Features, h: Features) -> Scores:
    """Cosine of A·h and A·μ̃, (T, M)."""
    return unit(transformed(A, h)) @ unit(transformed(A, means_unit)).T


def learned_gaussian(B: Matrix, densities: Gaussians | Factored | Coarse, h: Features) -> Scores:
    """log N(Bh; Bμ, Σ), (T, M): log N(h; μ, AΣAᵀ) less what is the same for all models."""
    return replace(densities, mean=transformed(B, densities.mean)).log_density(transformed(B, h))
