"""Kernel ridge regression with an unpenalised mean, judged by leaving each one out (docs/methods.md 9).

G (n, n): Gram matrix of unit sketches of models whose directions D (n, d) are known.  λ: penalty.  g (m, n): of others.
With a constant in the kernel, A = G + c + λI, the error of leaving i out is (A⁻¹D)_i / (A⁻¹)_ii (Allen 1974; Cawley &
Talbot 2003), so nothing is fitted twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
CONSTANT = 1e3  # so large that the mean goes free

Rows = NDArray[np.floating]


class Fit(NamedTuple):
    """`held_out` (n, d): what the others predict of each. `gain`: by how much its cosine with the truth is better than
    that of the others' mean, on average, in standard errors."""

    weights: Rows
    held_out: Rows
    penalty: float
    cosine: float
    gain: float

    def predict(self, g: Rows) -> Rows:
        """(m, d) of others, by their Gram with those known (m, n)."""
        return (g + CONSTANT) @ self.weights


def fit(G: Rows, D: Rows) -> Fit:
    """By the penalty that predicts those best that are left out. ValueError for fewer than three."""
    if len(D) < 3:
        raise ValueError(f"{len(D)} known directions; three are the least to leave one out of")
    return max((_with(G, D, penalty) for penalty in PENALTIES), key=lambda each: each.cosine)


def _with(G: Rows, D: Rows, penalty: float) -> Fit:
    n = len(D)
    inverse = np.linalg.inv(np.asarray(G, float) + CONSTANT + penalty * np.eye(n))
    weights = inverse @ D
    held_out = D - weights / np.diag(inverse)[:, None]
    others = (D.sum(axis=0) - D) / (n - 1)
    of_fit, of_mean = _cosines(held_out, D), _cosines(others, D)
    better = of_fit - of_mean
    error = better.std(ddof=1) / np.sqrt(n)
    gain = float(better.mean() / error) if error else 0.0
    return Fit(weights, held_out, penalty, float(of_fit.mean()), gain)


def _cosines(A: Rows, B: Rows) -> Rows:
    lengths = np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1)
    return (A * B).sum(axis=1) / np.where(lengths > 0, lengths, 1)
