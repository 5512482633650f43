"""Whether the first answer is the right one."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.scores import confidence
from modelsearch_core.scores.calibration import NullDistribution
from modelsearch_core.scores.confidence import Confidence

OF = NullDistribution(location=2.0, scale=0.5)


def drawn(true: Confidence, n: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(0, 2, n), rng.exponential(1, n)])
    return x, rng.random(n) < confidence.probability(true, x)


def test_features_are_what_stands_out_and_by_how_much():
    x = confidence.features(np.array([3.0, 2.0]), np.array([2.5, 1.0]), OF)
    np.testing.assert_allclose(x, [[2.0, np.log(2)], [0.0, np.log(3)]])


def test_a_second_is_as_far_behind_as_the_first_is_ahead():
    ahead, behind = confidence.features(np.array([3.0, 2.0]), np.array([2.0, 3.0]), OF)[:, 1]
    assert ahead == -behind == pytest.approx(np.log(3))


def test_a_lead_counts_in_units_of_what_unrelated_queries_find():
    first, second = np.array([3.0]), np.array([2.0])
    x = confidence.features(first, second, OF)
    wider = confidence.features(10 * first, 10 * second, NullDistribution(location=20.0, scale=5.0))
    np.testing.assert_allclose(x, wider)


def test_a_first_without_a_second_is_measured_by_unrelated_queries():
    x = confidence.features(np.array([3.0, 1.0]), np.array([-np.inf, np.nan]), OF)
    np.testing.assert_allclose(x, [[2.0, np.log(3)], [-2.0, 0.0]])


def test_the_fit_finds_what_the_data_were_drawn_by():
    true = Confidence(-1.0, 0.5, 1.5)
    np.testing.assert_allclose(confidence.fit(*drawn(true)), true, atol=0.1)


def test_said_probabilities_are_kept():
    x, right = drawn(Confidence(-0.5, 0.3, 0.8))
    p = confidence.probability(confidence.fit(x, right), x)
    for low in (0.2, 0.4, 0.6, 0.8):
        said = (p >= low) & (p < low + 0.2)
        assert right[said].mean() == pytest.approx(p[said].mean(), abs=0.03)


def test_more_of_either_never_makes_it_less_sure():
    """Noise may lie the other way in a small sample."""
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=40), rng.exponential(size=40)])
    found = confidence.fit(x, rng.random(40) < 1 / (1 + np.exp(3 * x[:, 0] + 3 * x[:, 1] - 3)))
    assert found.beyond == 0 and found.lead == 0


def test_without_slopes_as_many_are_said_to_be_right_as_are():
    """Every step leads downwards, and there is more than one."""
    x = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])
    found = confidence.fit(x, np.array([True, False, False, False, False]))
    assert tuple(found[1:]) == (0, 0)
    assert 1 / (1 + np.exp(-found.intercept)) == pytest.approx(0.2, abs=1e-3)


def test_a_few_right_answers_are_no_certainty():
    found = confidence.fit(np.array([[1.0, 1.0], [2.0, 0.5]]), np.array([True, True]))
    assert np.isfinite(found).all()
    assert found.beyond < 2 and found.lead < 2


def test_the_fit_is_where_the_penalised_likelihood_is_flat():
    x, right = drawn(Confidence(-0.5, 0.3, 0.8), 60)
    found = np.array(confidence.fit(x, right))
    assert (found[1:] > 0).all()
    X = np.column_stack([np.ones(60), x])
    gradient = X.T @ (right - confidence.probability(Confidence(*found), x)) - np.array([1e-3, 1, 1]) * found
    np.testing.assert_allclose(gradient, 0, atol=1e-7)


def test_a_slope_that_must_be_none_leaves_the_other_where_it_fits():
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=400), rng.exponential(size=400)])
    for falling, rising in ((0, 1), (1, 0)):
        right = rng.random(400) < 1 / (1 + np.exp(2 * x[:, falling] - 0.7 * x[:, rising]))
        slopes = confidence.fit(x, right)[1:]
        assert slopes[falling] == 0 and 0.2 < slopes[rising] < 1


def test_a_query_that_counts_for_three_is_as_three():
    x, right = drawn(Confidence(-0.5, 0.3, 0.8), 60)
    counts = np.where(right, 3, 1)
    thrice = confidence.fit(np.repeat(x, counts, axis=0), np.repeat(right, counts))
    np.testing.assert_allclose(confidence.fit(x, right, counts), thrice)
    assert thrice.intercept > confidence.fit(x, right).intercept


def test_nothing_overflows_however_far_out():
    with np.errstate(all="raise", under="ignore"):
        p = confidence.probability(Confidence(0.0, 1.0, 0.0), np.array([[-1e6, 0.0], [1e6, 0.0]]))
    np.testing.assert_allclose(p, [0, 1], atol=1e-20)
