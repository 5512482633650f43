from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modelsearch_core import ranking
from modelsearch_core.embedding import unit

nan = np.nan


def test_what_is_near_comes_first():
    assert ranking.rank(ranking.from_distance(np.array([0.5, 0.1, 0.9]))).tolist() == [1, 0, 2]


def test_equal_scores_keep_the_models_order_and_nan_comes_last():
    scores = np.array([nan, 1.0, 2.0, -np.inf, 2.0, nan, 1.0])
    assert ranking.rank(scores).tolist() == [2, 4, 1, 6, 3, 0, 5]
    assert ranking.rank(scores, 3).tolist() == [2, 4, 1]
    assert ranking.rank(np.zeros(0)).tolist() == []


@given(arrays(np.float32, st.integers(0, 30), elements=st.floats(-2, 2, width=16) | st.just(nan)))
def test_rank_is_a_stable_sort_of_all_models(scores):
    known = [m for m in range(len(scores)) if not np.isnan(scores[m])]
    expected = sorted(known, key=lambda m: -scores[m]) + [m for m in range(len(scores)) if m not in known]
    assert ranking.rank(scores).tolist() == expected


@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_first_of_many_are_those_of_a_whole_sort(k, seed):
    scores = np.random.default_rng(seed).integers(0, 40, 16 * 64 * 3 + 7).astype(np.float32)
    scores[scores == 7] = nan
    scores[scores == 8] = -np.inf
    assert ranking.rank(scores, k).tolist() == ranking.rank(scores).tolist()[:k]


def test_of_few_known_scores_the_unknown_come_last():
    assert ranking.rank(np.array([nan, -np.inf, nan, 1.0]), 3).tolist() == [3, 1, 0]


def test_one_expert_s_scores_stay_what_they_are():
    z = np.array([1.0, -2.0, nan])
    np.testing.assert_allclose(ranking.combine([(z, 0.3)]), z)
    np.testing.assert_allclose(ranking.combine([(z, -0.3)]), -z)


def test_a_product_of_experts_is_the_weighted_sum_of_their_logarithms():
    a, b = np.array([1.0, 0.0, 2.0]), np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(ranking.combine([(a, 3.0), (b, 4.0)]), [3 / 5, 4 / 5, 14 / 5])
    np.testing.assert_allclose(ranking.combine([(a, 3.0), (b, -4.0)]), [1, -4 / 3, -2 / 3])
    assert ranking.combine([(a, 1.0), (b, 1.0)]).argmax() == 2


def test_the_spread_is_that_of_one_expert_however_many_there_are():
    rng = np.random.default_rng(0)
    experts = [(rng.standard_normal(20_000), weight) for weight in (1.0, 0.5, 2.0)]
    assert ranking.combine(experts).std() == pytest.approx(1, abs=0.02)


def test_an_expert_that_cannot_judge_a_model_counts_as_its_median():
    a, b = np.array([2.0, 2.0, nan]), np.array([1.0, nan, nan])
    np.testing.assert_allclose(ranking.combine([(a, 1.0), (b, 1.0)]), np.array([3.0, 2.0, nan]) / 2**0.5)


def test_banks_are_combined_like_scores():
    a, b = np.random.default_rng(1).standard_normal((2, 7, 3))
    rows = [ranking.combine([(a[i], 1.0), (b[i], -1.0)]) for i in range(7)]
    np.testing.assert_allclose(ranking.combine([(a, 1.0), (b, -1.0)]), rows)


def test_weights_of_zero_say_nothing_and_no_expert_is_a_mistake():
    np.testing.assert_array_equal(ranking.combine([(np.array([1.0, 2.0]), 0.0)]), [0, 0])
    with pytest.raises(ValueError, match="0 experts"):
        ranking.combine([])


def test_what_is_not_wanted_never_makes_a_model_better():
    rng = np.random.default_rng(2)
    wanted, unwanted = rng.standard_normal((2, 500))
    plain = ranking.combine([(wanted, 2.0)])
    for weight in (-0.1, -1.0, -30.0):
        assert (ranking.combine([(wanted, 2.0), (unwanted, weight)]) <= plain).all()


def test_words_add_to_what_was_measured_where_there_are_any():
    measured, words = np.array([1.0, 1.0, 1.0]), np.array([nan, 3.0, -1.0])
    fused = ranking.fuse(measured, words)
    assert fused[0] == 1
    assert fused[1] == pytest.approx(2.5)
    assert fused[2] == 1, "words never speak against a model"


def test_a_diverse_list_has_the_best_of_every_cluster_before_anyone_s_second():
    clusters = np.repeat(np.eye(3), 3, axis=0) + 0.01 * np.random.default_rng(0).standard_normal((9, 3))
    found = ranking.diverse(np.arange(9), clusters, 5)
    assert found.tolist() == [0, 3, 6, 1, 4]
    assert ranking.diverse(np.array([8, 7, 0, 6, 1]), clusters, 3).tolist() == [8, 0, 7]


def test_a_diverse_list_keeps_to_the_top_of_the_order():
    signatures = np.concatenate([np.repeat(np.eye(2)[:1], 20, axis=0), np.eye(2)[1:]])
    assert ranking.diverse(np.arange(21), signatures, 4, pool=5).tolist() == [0, 1, 2, 3]
    assert ranking.diverse(np.arange(21), signatures, 5, pool=5).tolist() == [0, 20, 1, 2, 3]


@given(arrays(float, (12, 3), elements=st.floats(-1, 1) | st.just(nan)), st.integers(0, 15))
def test_a_diverse_list_starts_with_the_best_and_repeats_nothing(signatures, k):
    order = np.random.default_rng(k).permutation(12)
    found = ranking.diverse(order, signatures, k, pool=12).tolist()
    assert len(found) == len(set(found)) == min(k, 12)
    assert not found or found[0] == order[0]


def test_near_pairs_are_those_whose_cosine_reaches_the_threshold(monkeypatch):
    signatures = np.random.default_rng(0).standard_normal((20, 3))
    signatures[7], signatures[9], signatures[3] = 2 * signatures[4], signatures[4], 0
    s = unit(signatures)
    expected = {(i, j) for i in range(20) for j in range(i + 1, 20) if s[i] @ s[j] >= 0.9}
    assert len(list(ranking.near_pairs(signatures, -1.01))) == 20 * 19 / 2
    for block in (2**23, 30):
        monkeypatch.setattr(ranking, "BLOCK", block)
        found = list(ranking.near_pairs(signatures, 0.9))
        assert {(i, j) for i, j, _ in found} == expected >= {(4, 7), (4, 9), (7, 9)}
        assert all(cosine == pytest.approx(s[i] @ s[j], abs=1e-5) for i, j, cosine in found)


def test_what_is_not_wanted_counts_against_what_is_like_it_and_not_for_what_is_unlike_it():
    wanted, unwanted = np.array([1.0, 1.0, 1.0, nan]), np.array([3.0, 0.0, -5.0, -2.0])
    np.testing.assert_allclose(ranking.combine([(wanted, 1.0), (unwanted, -1.0)]), [-2, 1, 1, 0])
    np.testing.assert_allclose(ranking.combine([(unwanted, -1.0)]), [-3, 0, 5, 2])
