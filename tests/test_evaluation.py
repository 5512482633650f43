from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modelsearch_core import evaluation

LEVELS = arrays(np.float64, 5, elements=st.sampled_from([0.0, 1.0, 2.0]))


def orders(scores):
    """All orders of models in which no score rises."""
    return [order for order in permutations(range(len(scores))) if all(np.diff([scores[m] for m in order]) <= 0)]


def precision_at_each_relevant(order, relevant) -> float:
    hits = [place for place, m in enumerate(order, 1) if relevant[m]]
    return sum(found / place for found, place in enumerate(hits, 1)) / len(hits)


def test_without_ties_the_figures_are_the_usual_ones():
    scores, targets = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.2, 0.3, 0.1]]), np.array([0, 2, 0])
    assert evaluation.ranks(scores, targets).tolist() == [1, 3, 2]
    assert evaluation.top_k_accuracy(scores, targets) == pytest.approx(1 / 3)
    assert evaluation.top_k_accuracy(scores, targets, 2) == pytest.approx(2 / 3)
    assert evaluation.average_rank(scores, targets) == 2
    assert evaluation.mean_reciprocal_rank(scores, targets) == pytest.approx((1 + 1 / 3 + 1 / 2) / 3)


@given(LEVELS, st.integers(0, 4), st.integers(1, 5))
def test_figures_are_their_mean_over_all_orders_of_ties(scores, target, k):
    ranks = np.array([order.index(target) + 1 for order in orders(scores)])
    query = scores[None], np.array([target])
    assert evaluation.average_rank(*query) == pytest.approx(ranks.mean())
    assert evaluation.top_k_accuracy(*query, k) == pytest.approx((ranks <= k).mean())
    assert evaluation.mean_reciprocal_rank(*query) == pytest.approx((1 / ranks).mean())


@given(LEVELS, arrays(bool, 5))
def test_average_precision_is_its_mean_over_all_orders_of_ties(scores, relevant):
    found = evaluation.average_precision(scores, relevant)
    if not relevant.any():
        assert np.isnan(found)
    else:
        expected = np.mean([precision_at_each_relevant(order, relevant) for order in orders(scores)])
        assert found == pytest.approx(expected)


def test_a_scorer_that_says_the_same_of_all_is_at_chance():
    scores, targets = np.full((4, 16), 0.3), np.array([0, 3, 8, 15])
    assert [evaluation.top_k_accuracy(scores, targets, k) for k in (1, 4, 16)] == [1 / 16, 1 / 4, 1]
    assert evaluation.average_rank(scores, targets) == 8.5


def test_what_is_not_a_number_ranks_last():
    scores = np.array([[np.nan, -1e9, np.nan, 2.0]])
    assert [float(evaluation.ranks(scores, np.array([m]))[0]) for m in range(4)] == [3.5, 2, 3.5, 1]


def test_map_is_over_the_queries_that_have_an_answer():
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    relevant = np.array([[True, False, True], [False, False, False], [False, True, False]])
    assert evaluation.mean_average_precision(scores, relevant) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)


def test_with_one_relevant_model_map_is_mrr():
    rng = np.random.default_rng(0)
    scores, targets = rng.integers(0, 4, (30, 6)).astype(float), rng.integers(0, 6, 30)
    relevant = targets[:, None] == np.arange(6)
    expected = evaluation.mean_reciprocal_rank(scores, targets)
    assert evaluation.mean_average_precision(scores, relevant) == pytest.approx(expected)


def test_precision_recall_and_f1_of_pairs():
    predicted, actual = np.array([True, True, True, False]), np.array([True, False, False, True])
    precision, recall, f1 = evaluation.precision_recall_f1(predicted, actual)
    assert (precision, recall, f1) == (pytest.approx(1 / 3), 1 / 2, pytest.approx(0.4))
    assert evaluation.precision_recall_f1(predicted & False, actual) == (0, 0, 0)
    assert evaluation.precision_recall_f1(predicted & False, actual & False) == (0, 0, 0)


def test_no_query_has_no_figure():
    nothing, none = np.zeros((0, 4)), np.zeros(0, int)
    assert np.isnan(evaluation.top_k_accuracy(nothing, none))
    assert np.isnan(evaluation.mean_average_precision(nothing, np.zeros((0, 4), bool)))
