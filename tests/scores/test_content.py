from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelsearch_core.embedding import unit
from modelsearch_core.scores import content, samples

Rows = NDArray[np.floating]
Score = Callable[[Rows, NDArray[np.integer], Rows], Rows]


def first_moment(Z: Rows, offsets: NDArray[np.integer], h: Rows) -> Rows:
    return content.first_moment(unit(content.means(Z, offsets)), h)


def nearest_of_three(Z: Rows, offsets: NDArray[np.integer], h: Rows) -> Rows:
    return content.best_k(Z, offsets, h, k=3)


METHODS: list[Score] = [first_moment, content.monte_carlo, content.best_k, nearest_of_three, content.second_moment]


def first_moment_in_loops(z: Rows, h: Rows) -> float:
    mu = np.asarray(sum(z) / len(z))
    return sum(a * b for a, b in zip(mu, h, strict=True)) / sum(a * a for a in mu) ** 0.5


def monte_carlo_in_loops(z: Rows, h: Rows) -> float:
    return log(sum(exp(sum(a * b for a, b in zip(row, h, strict=True)) / 0.01) for row in z) / len(z))


def best_k_in_loops(z: Rows, h: Rows, k: int) -> float:
    cosines = sorted((sum(a * b for a, b in zip(row, h, strict=True)) for row in z), reverse=True)
    k = max(1, min(k, len(z) // 8))
    return sum(cosines[:k]) / k


def second_moment_by_covariance(z: Rows, h: Rows) -> float:
    covariance = np.cov(z.T) if len(z) > 1 else np.zeros((len(h), len(h)))
    return float(z.mean(axis=0) @ h * 100 + h @ covariance @ h * 100**2 / 2)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("method", "definition"),
    [
        (first_moment, first_moment_in_loops),
        (content.monte_carlo, monte_carlo_in_loops),
        (content.best_k, lambda z, h: best_k_in_loops(z, h, 10)),
        (nearest_of_three, lambda z, h: best_k_in_loops(z, h, 3)),
        (content.second_moment, second_moment_by_covariance),
    ],
)
def test_a_score_is_its_definition(zoo, method, definition):
    Z, h = zoo.Z.astype(float), zoo.h.astype(float)
    models = [Z[a:b] for a, b in zip(zoo.offsets[:-1], zoo.offsets[1:], strict=True)]
    expected = [[definition(z, one) for z in models] for one in h]
    np.testing.assert_allclose(method(zoo.Z, zoo.offsets, zoo.h), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_a_model_s_samples_does_not_matter(zoo, method):
    rng = np.random.default_rng(1)
    shuffled = np.concatenate([rng.permutation(z) for z in zoo.models()])
    np.testing.assert_allclose(
        method(shuffled, zoo.offsets, zoo.h), method(zoo.Z, zoo.offsets, zoo.h), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_query_scores_the_same_alone_and_in_a_batch(zoo, method):
    alone = np.concatenate([method(zoo.Z, zoo.offsets, one[None]) for one in zoo.h])
    np.testing.assert_allclose(alone, method(zoo.Z, zoo.offsets, zoo.h), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_scores_the_same_alone_and_among_others(zoo, method):
    together = method(zoo.Z, zoo.offsets, zoo.h)
    for m, z in enumerate(zoo.models()):
        alone = method(z, np.array([0, len(z)]), zoo.h)
        np.testing.assert_allclose(alone[:, 0], together[:, m], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_turning_the_whole_space_changes_nothing(zoo, method):
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((24, 24)))[0].astype(np.float32)
    turned = method(zoo.Z @ turn, zoo.offsets, zoo.h @ turn)
    np.testing.assert_allclose(turned, method(zoo.Z, zoo.offsets, zoo.h), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", [first_moment, content.monte_carlo])
def test_every_sample_twice_changes_nothing(zoo, method):
    twice = np.repeat(zoo.Z, 2, axis=0)
    np.testing.assert_allclose(
        method(twice, 2 * zoo.offsets, zoo.h), method(zoo.Z, zoo.offsets, zoo.h), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_no_query_gives_no_row(zoo, method):
    assert method(zoo.Z, zoo.offsets, zoo.h[:0]).shape == (0, 6)


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_is_nearly_as_good(zoo, method):
    half = method(zoo.Z.astype(np.float16), zoo.offsets, zoo.h.astype(np.float16))
    full = method(zoo.Z, zoo.offsets, zoo.h)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, full, rtol=0.01, atol=0.15)


@pytest.mark.parametrize("method", METHODS)
def test_the_opposite_query_comes_last(zoo, method):
    z = zoo.Z[:1]
    scores = method(np.concatenate([z, zoo.Z[30:31], -z]), np.arange(4), z)[0]
    assert list(np.argsort(-scores)) == [0, 1, 2]
    assert np.isfinite(scores).all()


def test_identical_samples_score_as_one_of_them(zoo):
    z = zoo.Z[:1]
    Z, offsets = np.concatenate([z, np.repeat(z, 16, axis=0)]), np.array([0, 1, 17])
    for method in METHODS:
        scores = method(Z, offsets, zoo.h)
        np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=1e-4, atol=1e-5)


def test_best_k_of_one_is_the_nearest_sample(zoo):
    nearest = [(zoo.h @ z.T).max(axis=1) for z in zoo.models()]
    np.testing.assert_allclose(content.best_k(zoo.Z, zoo.offsets, zoo.h, k=1), np.stack(nearest, axis=1), rtol=1e-5)


@pytest.mark.parametrize(("k", "S", "taken"), [(10, 1, 1), (10, 15, 1), (10, 16, 2), (10, 64, 8), (10, 2400, 10)])
def test_best_k_takes_at_most_an_eighth_of_the_samples(k, S, taken):
    assert content.nearest(k, S) == taken


def test_monte_carlo_tends_to_the_nearest_sample_when_cold_and_to_the_mean_when_hot(zoo):
    nearest = content.best_k(zoo.Z, zoo.offsets, zoo.h, k=1)
    cold = content.monte_carlo(zoo.Z, zoo.offsets, zoo.h, temperature=1e-5) * 1e-5
    np.testing.assert_allclose(cold, nearest, atol=1e-4)
    mean = zoo.h @ content.means(zoo.Z, zoo.offsets).T
    hot = content.monte_carlo(zoo.Z, zoo.offsets, zoo.h, temperature=100) * 100
    np.testing.assert_allclose(hot, mean, atol=1e-2)


def test_second_moment_is_monte_carlo_where_cosines_vary_little(zoo):
    args = zoo.Z, zoo.offsets, zoo.h
    np.testing.assert_allclose(content.second_moment(*args, 1.0), content.monte_carlo(*args, 1.0), atol=0.01)


def test_a_model_as_query_finds_itself(zoo):
    mu = unit(content.means(zoo.Z, zoo.offsets))
    scores = content.first_moment(mu, mu)
    assert list(scores.argmax(axis=1)) == list(range(6))
    np.testing.assert_allclose(np.diag(scores), 1, rtol=1e-5)


def test_a_model_without_samples_is_refused(zoo):
    with pytest.raises(ValueError, match="model 1 has 0 samples"):
        content.monte_carlo(zoo.Z, np.array([0, 3, 3, 86]), zoo.h)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.integers(0, 40), st.integers(1, 300))
def test_blocks_cover_every_model_once_and_stay_within_bounds(counts, width, bound):
    offsets = samples.offsets_of(np.array(counts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "BLOCK", bound)
        ranges = list(samples.blocks(offsets, width))
    assert [m for a, b in ranges for m in range(a, b)] == list(range(len(counts)))
    assert all(b == a + 1 or (offsets[b] - offsets[a]) * width <= bound for a, b in ranges)


def test_ranking_imports_no_torch():
    modules = "content, gaussian, kernel_mean, differences, calibration"
    code = (
        f"import sys; from modelsearch_core import ranking, evaluation; from modelsearch_core.scores import {modules};"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_largest_of_many_are_all_found():
    values = np.random.default_rng(3).permutation(1000).astype(float)
    assert content.mean_of_largest(values[None], 50)[0] == pytest.approx(np.arange(950, 1000).mean())
    np.testing.assert_allclose(content.bessel(np.array([1, 2, 5])), [1, 2, 5 / 4])


def test_a_block_holds_as_many_models_as_fit_and_one_at_least(monkeypatch):
    monkeypatch.setattr(samples, "BLOCK", 10)
    offsets = samples.offsets_of(np.array([1, 1]))
    assert list(samples.blocks(offsets, 40)) == [(0, 1), (1, 2)]
    assert list(samples.blocks(offsets, 1)) == [(0, 2)]
