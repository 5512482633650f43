"""Learned matching against its formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.embedding import unit
from modelsearch_core.scores import gaussian
from modelsearch_core.scores.matching import learned_first_moment, learned_gaussian, transformed

D = 6


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def features(rng: np.random.Generator, n: int) -> np.ndarray:
    return unit(rng.normal(size=(n, D)).astype(np.float32))


def test_a_diagonal_is_a_matrix(rng: np.random.Generator):
    a, rows = rng.uniform(0.5, 2, D), features(rng, 4)
    np.testing.assert_allclose(transformed(a, rows), transformed(np.diag(a), rows), rtol=1e-6)


def test_first_moment_is_the_cosine_of_what_A_makes_of_both(rng: np.random.Generator):
    A, means, h = rng.normal(size=(D, D)), features(rng, 3), features(rng, 5)
    for t, query in enumerate(h):
        for m, mean in enumerate(means):
            a, b = A @ mean, A @ query
            expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert learned_first_moment(A, means, h)[t, m] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_gaussian_is_the_density_under_A_sigma_At(rng: np.random.Generator, kind: str):
    B = rng.uniform(0.5, 2, D) if kind == "diagonal" else np.eye(D) + rng.normal(0, 0.2, (D, D))
    Z, offsets, h = features(rng, 24), np.array([0, 8, 16, 24]), features(rng, 5)
    fitted = gaussian.fit(Z, offsets, rank=3, floor=1e-2)
    A = np.linalg.inv(np.diag(B) if kind == "diagonal" else B)
    expected = np.empty((5, 3))
    for m in range(3):
        V, λ = fitted.axes[m], fitted.variances[m]
        covariance = A @ (V.T @ np.diag(λ) @ V + fitted.floor * np.eye(D)) @ A.T
        for t, query in enumerate(h):
            d = query - fitted.mean[m]
            expected[t, m] = -(d @ np.linalg.solve(covariance, d) + np.linalg.slogdet(2 * np.pi * covariance)[1]) / 2
    difference = learned_gaussian(B, fitted, h) - expected
    np.testing.assert_allclose(difference, difference[0, 0], rtol=1e-3)  # log|B|, the same for all
