from __future__ import annotations

import numpy as np
import pytest
import torch

from modelsearch_core.embedding import unit
from modelsearch_core.scores import gaussian, samples


def covariance(g: gaussian.Gaussians, m: int) -> np.ndarray:
    V, D = g.axes[m].astype(float), g.mean.shape[1]
    return V.T @ np.diag(g.variances[m].astype(float)) @ V + g.floor * np.eye(D)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("rank", [1, 4, 16, 64])
def test_the_density_is_torch_s_multivariate_normal(zoo, rank):
    g = gaussian.fit(zoo.Z, zoo.offsets, rank=rank)
    scores = gaussian.log_density(g, zoo.h)
    for m in range(6):
        normal = torch.distributions.MultivariateNormal(
            torch.tensor(g.mean[m].astype(float)), torch.tensor(covariance(g, m))
        )
        expected = normal.log_prob(torch.tensor(zoo.h.astype(float))).numpy()
        np.testing.assert_allclose(scores[:, m], expected, rtol=1e-4)


def test_with_all_axes_it_is_the_sample_covariance_and_the_floor(zoo):
    g = gaussian.fit(zoo.Z, zoo.offsets, rank=64, floor=1e-2)
    for m, z in enumerate(zoo.models()):
        expected = (np.cov(z.T) if len(z) > 1 else 0) + 1e-2 * np.eye(24)
        np.testing.assert_allclose(covariance(g, m), expected, atol=1e-6)


def test_axes_are_unit_orthogonal_and_strongest_first(zoo):
    g = gaussian.fit(zoo.Z, zoo.offsets, rank=5)
    ranks = [min(S - 1, 5) for S in samples.sizes(zoo.offsets)]
    for m, r in enumerate(ranks):
        np.testing.assert_allclose(g.axes[m] @ g.axes[m].T, np.diag(np.arange(5) < r), atol=1e-5)
        assert (g.variances[m] > 0).sum() == r
        assert (np.diff(g.variances[m]) <= 0).all()


def test_more_samples_than_dimensions_give_the_same_as_their_covariance():
    z = unit(np.random.default_rng(0).standard_normal((200, 8))).astype(np.float32)
    g = gaussian.fit(z, np.array([0, 200]), rank=8)
    np.testing.assert_allclose(covariance(g, 0), np.cov(z.T) + 1e-3 * np.eye(8), atol=1e-6)


def test_one_sample_has_the_floor_alone(zoo):
    g = gaussian.fit(zoo.Z, zoo.offsets)
    squared = ((zoo.h - zoo.Z[0]) ** 2).sum(axis=1)
    expected = -squared / 2e-3 - 12 * np.log(2 * np.pi * 1e-3)
    np.testing.assert_allclose(gaussian.log_density(g, zoo.h)[:, 0], expected, rtol=1e-4)


def test_identical_samples_are_one_sample(zoo):
    Z = np.concatenate([zoo.Z[:1], np.repeat(zoo.Z[:1], 9, axis=0)])
    scores = gaussian.log_density(gaussian.fit(Z, np.array([0, 1, 10])), zoo.h)
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=1e-4)


@pytest.mark.parametrize("rank", [3, 16])
def test_order_turn_and_company_change_nothing(zoo, rank):
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.standard_normal((24, 24)))[0].astype(np.float32)
    expected = gaussian.log_density(gaussian.fit(zoo.Z, zoo.offsets, rank), zoo.h)
    shuffled = np.concatenate([rng.permutation(z) for z in zoo.models()])
    turned = gaussian.log_density(gaussian.fit(shuffled @ turn, zoo.offsets, rank), zoo.h @ turn)
    np.testing.assert_allclose(turned, expected, rtol=2e-3)
    alone = gaussian.fit(zoo.models()[4], np.array([0, 40]), rank)
    np.testing.assert_allclose(gaussian.log_density(alone, zoo.h[:1]), expected[:1, 4:5], rtol=1e-4)


def test_half_precision_and_no_query_are_fine(zoo):
    g = gaussian.fit(zoo.Z.astype(np.float16), zoo.offsets)
    full = gaussian.log_density(gaussian.fit(zoo.Z, zoo.offsets), zoo.h)
    np.testing.assert_allclose(gaussian.log_density(g, zoo.h.astype(np.float16)), full, rtol=0.05)
    assert gaussian.log_density(g, zoo.h[:0]).shape == (0, 6)


def simulated(S: int, shift: float) -> dict[str, float]:
    """Top-1 of 60 models with decaying spectra, half along axes of their own; `shift` moves the queries off them."""
    rng = np.random.default_rng(0)
    M, D, n = 60, 128, 20
    centres = unit(rng.standard_normal(D) + 0.25 * rng.standard_normal((M, D)))
    deviations = np.sqrt(0.4 / np.arange(1, D + 1) / (1 / np.arange(1, D + 1)).sum())
    own = np.array([rng.permutation(D) if m % 2 else np.arange(D) for m in range(M)])
    modality = 0.6 * shift * rng.standard_normal(D) / np.sqrt(D)

    def draw(n: int, off: float, moved: float | np.ndarray) -> np.ndarray:
        within = rng.standard_normal((M, n, D)) * deviations[own][:, None]
        return unit(centres[:, None] + within + moved + off * rng.standard_normal((M, n, D)) / np.sqrt(D)).reshape(
            -1, D
        )

    Z, h, offsets = draw(S, 0, 0), draw(n, 0.4 * shift, modality), np.arange(M + 1) * S

    def top_1(rank: int, floor: float) -> float:
        best = gaussian.log_density(gaussian.fit(Z, offsets, rank, floor), h).argmax(axis=1)
        return float((best == np.repeat(np.arange(M), n)).mean())

    return {"rank 8": top_1(8, 1e-3), "rank 16": top_1(16, 1e-3), "full": top_1(D, 1e-3), "low floor": top_1(D, 1e-4)}


@pytest.mark.parametrize("S", [16, 32, 64])
def test_rank_16_is_no_worse_than_the_full_covariance_with_a_low_floor(S):
    """docs/methods.md 2's table, in small."""
    found = simulated(S, shift=0)
    assert found["rank 16"] >= found["low floor"]


@pytest.mark.parametrize("S", [32, 64])
def test_under_a_domain_shift_few_axes_win_and_a_low_floor_falls(S):
    """docs/methods.md 2: rank 8 with 1e-3 wins, and the full covariance with 1e-4 falls."""
    found = simulated(S, shift=1)
    assert min(found["rank 8"], found["rank 16"]) > found["full"] > found["low floor"] + 0.05


def by_covariance(h, z, floor=gaussian.FLOOR):
    """log N(h; μ, Σ + εI) of few samples, none of whose axes is left out."""
    covariance = np.cov(z.T) + floor * np.eye(z.shape[1])
    d = h - z.mean(axis=0)
    return -(d @ np.linalg.solve(covariance, d)) / 2 - np.linalg.slogdet(2 * np.pi * covariance)[1] / 2


@pytest.mark.parametrize("S", [2, 5, 6, 7])
def test_few_samples_as_many_as_features_and_more_all_give_the_density(S):
    rng = np.random.default_rng(S)
    z, h = rng.normal(size=(S, 6)) * 0.3, rng.normal(size=(2, 6)) * 0.3
    expected = [by_covariance(each, z) for each in h]
    found = gaussian.fit(z, np.array([0, S])).log_density(h)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    λ, U = gaussian.factors(z)
    assert len(λ) == len(U) == min(S - 1, 6)
    kept = gaussian.Factored(z.astype(np.float32), np.array([0, S]), [λ], [U], z.mean(axis=0)[None].astype(np.float32))
    np.testing.assert_allclose(kept.log_density(h)[:, 0], expected, rtol=1e-3)


def test_axes_that_no_sample_shows_are_none():
    line = np.outer([0.0, 1.0, 2.0, 4.0], [0.6, 0.8, 0.0, 0.0, 0.0])
    of = gaussian.fit(line, np.array([0, 4]))
    np.testing.assert_allclose(of.variances[0, 0], np.var([0, 1, 2, 4], ddof=1), rtol=1e-6)
    assert not of.variances[0, 1:].any() and not of.axes[0, 1:].any()
    λ, U = gaussian.factors(line)
    kept = gaussian.Factored(line.astype(np.float32), np.array([0, 4]), [λ], [U], of.mean)
    h = np.array([[1.0, 0.5, 0.0, 0.0, 0.2]])
    np.testing.assert_allclose(kept.log_density(h), by_covariance(h[0], line), rtol=1e-3)
