from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsearch_core.embedding import unit
from modelsearch_core.scores import content, kernel_mean, samples


def k(a, b, gamma: float) -> float:
    return exp(-gamma * sum((x - y) ** 2 for x, y in zip(a.astype(float), b.astype(float), strict=True)))


def distance_in_loops(z, w, images, gamma: float) -> float:
    S, T = len(z), len(images)
    own = sum(w[i] * w[j] * k(z[i], z[j], gamma) for i in range(S) for j in range(S)) / S**2
    cross = sum(w[i] * k(z[i], h, gamma) for i in range(S) for h in images) / (S * T)
    return own - 2 * cross + sum(k(a, b, gamma) for a in images for b in images) / T**2


def of_several(zoo, w, images, gamma=kernel_mean.GAMMA):
    """The distance to the mean of several pictures, of the distances to each."""
    each = kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, w, images, gamma)
    return each.mean(axis=0) - 1 + kernel_mean.kernel(images, images, gamma).mean()


def cosine(a, b) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("T", [1, 4])
def test_the_distances_to_several_pictures_are_in_the_mean_the_distance_to_their_mean(zoo, gamma, T):
    q = zoo.h[-1]
    w = kernel_mean.prompt_weights(zoo.Q, q)
    found = of_several(zoo, w, zoo.h[:T], gamma)
    expected = [
        distance_in_loops(zoo.Z[a:b], w[a:b], zoo.h[:T], gamma)
        for a, b in zip(zoo.offsets[:-1], zoo.offsets[1:], strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("blocks")
def test_many_queries_are_each_as_if_alone(zoo):
    W = kernel_mean.prompt_weights(zoo.Q, zoo.h)
    together = kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, W, zoo.h)
    alone = [
        kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, w, h[None])[0] for w, h in zip(W, zoo.h, strict=True)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    shared = kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, W[0], zoo.h)
    np.testing.assert_allclose(shared[0], together[0], rtol=1e-5)


def test_a_self_similarity_worked_out_before_gives_the_same(zoo):
    W = kernel_mean.prompt_weights(zoo.Q, zoo.h)
    known = kernel_mean.self_similarity(kernel_mean.kernels(zoo.Z, zoo.offsets), zoo.offsets, W)
    np.testing.assert_array_equal(
        kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, W, zoo.h, similarity=known),
        kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, W, zoo.h),
    )


def test_weights_are_cosines_of_the_prompts(zoo):
    expected = [[cosine(q, h) for q in zoo.Q] for h in zoo.h]
    np.testing.assert_allclose(kernel_mean.prompt_weights(3 * zoo.Q, 5 * zoo.h), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(kernel_mean.prompt_weights(zoo.Q, zoo.h[0]), expected[0], rtol=1e-4, atol=1e-6)


def test_softmax_weights_are_one_on_average_and_all_one_when_hot(zoo):
    cosines = kernel_mean.prompt_weights(zoo.Q, zoo.h)
    weights = kernel_mean.softmax_weights(cosines, zoo.offsets, 0.02)
    np.testing.assert_allclose(samples.mean_of(weights, zoo.offsets), 1, rtol=1e-5)
    a, b = zoo.offsets[2:4]
    raw = np.exp(cosines[1, a:b].astype(float) / 0.02)
    np.testing.assert_allclose(weights[1, a:b], len(raw) * raw / raw.sum(), rtol=1e-3)
    np.testing.assert_allclose(kernel_mean.softmax_weights(cosines, zoo.offsets, 1e6), 1, rtol=1e-5)
    assert np.isfinite(kernel_mean.softmax_weights(cosines, zoo.offsets, 1e-6)).all()


def test_order_turn_and_doubling_change_nothing(zoo):
    w = kernel_mean.prompt_weights(zoo.Q, zoo.h[0])
    expected = kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, w, zoo.h)
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((24, 24)))[0].astype(np.float32)
    order = np.concatenate([rng.permutation(rows) for rows in np.split(np.arange(len(zoo.Z)), zoo.offsets[1:-1])])
    turned = kernel_mean.kernel_mean_distances(zoo.Z[order] @ turn, zoo.offsets, w[order], zoo.h @ turn)
    np.testing.assert_allclose(turned, expected, rtol=1e-3, atol=1e-5)
    twice = kernel_mean.kernel_mean_distances(np.repeat(zoo.Z, 2, 0), 2 * zoo.offsets, np.repeat(w, 2), zoo.h)
    np.testing.assert_allclose(twice, expected, rtol=1e-3, atol=1e-5)


def test_a_model_of_the_query_alone_is_at_distance_zero_and_the_opposite_far(zoo):
    z = zoo.Z[:1]
    Z, ones = np.concatenate([z, -z]), np.ones(2)
    near, far = kernel_mean.kernel_mean_distances(Z, np.arange(3), ones, z)[0]
    assert near == pytest.approx(0, abs=1e-5)
    assert far == pytest.approx(2 - 2 * exp(-8), abs=1e-5)


def test_half_precision_and_no_query_are_fine(zoo):
    w = np.ones(len(zoo.Z))
    half = kernel_mean.kernel_mean_distances(zoo.Z.astype(np.float16), zoo.offsets, w, zoo.h.astype(np.float16))
    np.testing.assert_allclose(half, kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, w, zoo.h), atol=1e-2)
    assert kernel_mean.kernel_mean_distances(zoo.Z, zoo.offsets, w, zoo.h[:0]).shape == (0, 6)


def embedding_error(x, w, z, beta: float, gamma: float) -> float:
    """‖(1/S) Σ w_i k(x_i,·) − β k(z,·)‖², less the part that neither z nor β changes."""
    return beta**2 - 2 * beta * sum(w[i] * k(x[i], z, gamma) for i in range(len(x))) / len(x)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_reduced_set_of_one_is_where_no_step_gets_nearer(zoo, weighted):
    rng = np.random.default_rng(5)
    w = np.abs(kernel_mean.prompt_weights(zoo.Q, zoo.h[0])) if weighted else np.ones(len(zoo.Z))
    points, betas = kernel_mean.reduce_to_one(zoo.Z, zoo.offsets, 2.0, w if weighted else None)
    for m, x in enumerate(zoo.models()):
        w_m = w[zoo.offsets[m] : zoo.offsets[m + 1]]
        best = embedding_error(x, w_m, points[m], betas[m], 2.0)
        for _ in range(5):
            step = 0.05 * unit(rng.standard_normal(24))
            assert best <= embedding_error(x, w_m, points[m] + step, betas[m], 2.0) + 1e-7
        assert best <= embedding_error(x, w_m, points[m], betas[m] * 1.05, 2.0)
        assert best <= embedding_error(x, w_m, points[m], betas[m] * 0.95, 2.0)


@pytest.mark.parametrize("gamma", [2.0, 8.0])
def test_the_reduced_set_of_one_is_the_mean_of_the_samples_as_near_as_they_are(zoo, gamma):
    points, _ = kernel_mean.reduce_to_one(zoo.Z, zoo.offsets, gamma)
    for m, x in enumerate(zoo.models()):
        near = np.array([k(row, points[m], gamma) for row in x])
        np.testing.assert_allclose(points[m], near @ x / near.sum(), atol=1e-5)


def test_under_a_narrow_kernel_the_reduced_set_of_one_is_in_the_denser_crowd():
    rng = np.random.default_rng(6)
    crowds = np.repeat(np.eye(8)[:2], [12, 7], axis=0) + 0.05 * rng.standard_normal((19, 8))
    points, betas = kernel_mean.reduce_to_one(unit(crowds), np.array([0, 19]), gamma=8.0)
    np.testing.assert_allclose(points[0], unit(crowds)[:12].mean(axis=0), atol=0.05)
    assert betas[0] == pytest.approx(12 / 19, abs=0.1)


def test_the_reduced_set_of_one_sample_is_that_sample(zoo):
    points, betas = kernel_mean.reduce_to_one(zoo.Z, zoo.offsets)
    np.testing.assert_allclose(points[0], zoo.Z[0], atol=1e-6)
    assert betas[0] == pytest.approx(1)


def test_rkme_s_distance_is_that_of_two_points(zoo):
    points, betas = kernel_mean.reduce_to_one(zoo.Z, zoo.offsets)
    found = kernel_mean.rkme_distance(points, betas, zoo.h)
    expected = [
        [b**2 - 2 * b * k(p, h, 2.0) + 1 for p, b in zip(points, betas.astype(float), strict=True)] for h in zoo.h
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    closest = content.first_moment(unit(points), zoo.h).argmax(axis=1)
    with_one = kernel_mean.rkme_distance(unit(points), np.ones(6), zoo.h).argmin(axis=1)
    np.testing.assert_array_equal(with_one, closest)  # equation 2 with one point ranks by its cosine


def test_side_by_side_the_kernel_is_the_product_of_image_s_and_prompt_s(zoo):
    a, b = kernel_mean.side_by_side(zoo.Z, zoo.Q)[:2]
    together = kernel_mean.kernel(a[None], b[None])
    apart = kernel_mean.kernel(zoo.Z[:1], zoo.Z[1:2]) * kernel_mean.kernel(zoo.Q[:1], zoo.Q[1:2])
    np.testing.assert_allclose(together, apart, rtol=1e-4)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_any_weights_give_a_finite_reduced_set(weights):
    x = unit(np.random.default_rng(len(weights)).standard_normal((len(weights), 5))).astype(np.float32)
    points, betas = kernel_mean.reduce_to_one(x, np.array([0, len(x)]), w=np.array(weights))
    assert np.isfinite(points).all()
    assert np.isfinite(betas).all()


def test_sharpened_weights_are_the_same_for_flat_and_for_spread_cosines(zoo):
    cosines = np.random.default_rng(0).normal(size=(2, zoo.offsets[-1]))
    weights = kernel_mean.sharpened_weights(cosines, zoo.offsets)
    np.testing.assert_allclose(kernel_mean.sharpened_weights(0.05 * cosines + 0.8, zoo.offsets), weights, rtol=1e-4)
    standard = cosines[0] / cosines[0].std()
    np.testing.assert_allclose(weights[0], kernel_mean.softmax_weights(1.4 * standard, zoo.offsets, 1.0), rtol=1e-6)
    assert np.isfinite(kernel_mean.sharpened_weights(np.ones_like(cosines), zoo.offsets)).all()


def test_blocks_of_several_models_are_put_where_they_belong(zoo, monkeypatch):
    w = kernel_mean.prompt_weights(zoo.Q, zoo.h)
    whole = kernel_mean.cross_similarity(zoo.Z, zoo.offsets, w, zoo.h)
    monkeypatch.setattr(samples, "BLOCK", 24 * 42)
    assert list(samples.blocks(zoo.offsets, 24)) == [(0, 4), (4, 5), (5, 6)]
    np.testing.assert_allclose(kernel_mean.cross_similarity(zoo.Z, zoo.offsets, w, zoo.h), whole, rtol=1e-5)


def test_side_by_side_is_the_picture_and_then_its_prompt(zoo):
    np.testing.assert_array_equal(kernel_mean.side_by_side(zoo.Z, zoo.Q), np.hstack([zoo.Z, zoo.Q]))
