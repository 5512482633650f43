from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelsearch_core.scores import coarse, content, gaussian
from modelsearch_core.scores.coarse import Coarse


def of(zoo, width: int) -> Coarse:
    g = gaussian.fit(zoo.Z, zoo.offsets)
    B = coarse.basis(g.axes, g.variances, width)
    return Coarse(B, coarse.rows_of(g.axes, g.variances, g.mean, B), g.mean)


@pytest.mark.usefixtures("blocks")
def test_with_all_directions_it_is_the_density_but_for_what_a_byte_leaves_off(zoo):
    exact = gaussian.log_density(gaussian.fit(zoo.Z, zoo.offsets), zoo.h)
    error = of(zoo, 24).log_density(zoo.h) - exact
    assert np.abs(error).max() < 0.05 * exact.std()


def test_fewer_directions_are_the_strongest_and_tell_less(zoo):
    exact = gaussian.log_density(gaussian.fit(zoo.Z, zoo.offsets), zoo.h)
    wide, narrow = (np.abs(of(zoo, width).log_density(zoo.h) - exact).mean() for width in (24, 2))
    assert wide < narrow
    np.testing.assert_allclose(of(zoo, 24).basis[:2], of(zoo, 2).basis)


def test_directions_are_orthonormal(zoo):
    B = of(zoo, 5).basis
    np.testing.assert_allclose(B @ B.T, np.eye(5), atol=1e-5)


def test_a_model_of_one_sample_has_no_axis(zoo):
    g = gaussian.fit(zoo.Z[:1], np.array([0, 1]), rank=16)
    rows = coarse.rows_of(g.axes, g.variances, g.mean, np.eye(3, 24))
    assert rows["axes"].any() == rows["variances"].any() == rows["step"].any() == False  # noqa: E712
    assert rows["length"] == pytest.approx(1.0)
    found = Coarse(np.eye(3, 24, dtype=np.float32), rows, g.mean)
    np.testing.assert_allclose(found.log_density(zoo.h), gaussian.log_density(g, zoo.h), rtol=1e-4)
    np.testing.assert_allclose(found.best_k(zoo.h), zoo.h @ g.mean.T, atol=1e-6)


def test_the_nearest_eighth_of_normal_samples_is_found_by_mean_and_deviation():
    rng = np.random.default_rng(0)
    Z = (np.array([0.2, 0.5, -0.1]) + rng.normal(size=(4000, 3)) * [0.1, 0.02, 0.3]).astype(np.float32)
    offsets, h = np.array([0, 4000]), np.eye(3, dtype=np.float32)
    g = gaussian.fit(Z, offsets, rank=3)
    found = Coarse(np.eye(3, dtype=np.float32), coarse.rows_of(g.axes, g.variances, g.mean, np.eye(3)), g.mean)
    expected = content.best_k(Z, offsets, h, k=500)
    np.testing.assert_allclose(found.best_k(h), expected, atol=0.02)
    np.testing.assert_allclose(found.monte_carlo(h, 0.1), found.best_k(h) * 10)


def test_some_models_alone_get_what_they_get_among_all(zoo):
    whole, some = of(zoo, 12), np.array([4, 1])
    for name in ("log_density", "best_k", "monte_carlo"):
        np.testing.assert_allclose(getattr(whole.some(some), name)(zoo.h), getattr(whole, name)(zoo.h)[:, some], 1e-5)


def test_a_moved_density_is_that_of_moved_queries(zoo):
    whole, shift = of(zoo, 24), np.full(24, 0.1, np.float32)
    whole.log_density(zoo.h)
    moved = replace(whole, mean=whole.mean + shift).log_density(zoo.h + shift)
    np.testing.assert_allclose(moved, whole.log_density(zoo.h), rtol=1e-2)


def test_the_shared_directions_are_the_strongest_of_all_covariances_together(zoo):
    g = gaussian.fit(zoo.Z, zoo.offsets)
    together = sum(V.T @ np.diag(λ) @ V for V, λ in zip(g.axes, g.variances, strict=True))
    strongest = np.linalg.eigh(together)[1][:, -4:]
    B = coarse.basis(g.axes, g.variances, 4)
    np.testing.assert_allclose(B.T @ B, strongest @ strongest.T, atol=1e-4)


def test_models_without_variance_are_kept_without_a_warning():
    with np.errstate(all="raise"):
        rows = coarse.rows_of(np.zeros((1, 2, 3)), np.zeros((1, 2)), np.ones((1, 3)), np.eye(3))
    assert rows["step"].tolist() == [0] and not rows["axes"].any()
