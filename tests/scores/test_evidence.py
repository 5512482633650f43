"""What a score that rests on a name says of the one that pictures would give."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.scores import evidence


def told(rho: float, queries: int = 400, models: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Cheap and true scores that correlate by ρ within a query, each query being as difficult as it likes."""
    rng = np.random.default_rng(seed)
    cheap, rest = rng.normal(size=(2, queries, models))
    difficulty = rng.normal(size=(2, queries, 1)) * 3
    return cheap + difficulty[0], rho * cheap + np.sqrt(1 - rho**2) * rest + difficulty[1]


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
def test_worth_of_normals_is_their_correlation_within_queries(rho: float):
    assert evidence.worth(*told(rho)) == pytest.approx(rho, abs=0.03)


def test_worth_is_the_slope_through_what_evidence_calls_best():
    z_e, z = told(0.5, queries=5, models=8)
    pairs = [(z_e[q, m] - sum(z_e[q]) / 8, z[q, m] - sum(z[q]) / 8) for q in range(5) for m in range(8)]
    spreads = [(sum(pair[i] ** 2 for pair in pairs) / 40) ** 0.5 for i in (0, 1)]
    best = sorted(pairs, reverse=True)[:8]  # a fifth of 40
    products = sum(a / spreads[0] * b / spreads[1] for a, b in best)
    assert evidence.worth(z_e, z) == pytest.approx(products / sum((a / spreads[0]) ** 2 for a, _ in best))


def test_evidence_that_is_right_but_for_its_favourites_is_worth_what_these_are():
    """Of pictures that agree by subject: the rest of the list is in order, the best of it is not."""
    z_e, z = told(0.9)
    favourites = z_e - z_e.mean(axis=1, keepdims=True) > 1
    misled = np.where(favourites, np.random.default_rng(5).normal(size=z.shape) + z.mean(axis=1, keepdims=True), z)
    assert evidence.worth(z_e, misled) < 0.3 < evidence.worth(z_e, misled, share=1.0)


def test_what_speaks_against_the_truth_or_does_not_speak_is_worth_nothing():
    z = told(0.5)[1]
    assert evidence.worth(-z, z) == 0
    assert evidence.worth(np.ones_like(z), z) == 0
    assert evidence.worth(np.full_like(z, np.nan), z) == 0


def test_a_query_that_must_not_count_for_a_model_does_not():
    z_e, z = told(0.8)
    with_own = z_e.copy()
    with_own[0, 0] = 1e6
    hidden = np.where(with_own > 1e5, np.nan, with_own)
    assert evidence.worth(hidden, z) == pytest.approx(evidence.worth(z_e, z), abs=0.01)


def test_the_expected_score_is_the_best_linear_guess_of_the_true_one():
    z_e, z = told(0.4)
    ratio = evidence.spread(z) / evidence.spread(z_e)

    def error(rho: float) -> float:
        guesses = [
            evidence.expected(a, rho, usual_e=a.mean(), usual=b.mean(), ratio=ratio)
            for a, b in zip(z_e, z, strict=True)
        ]
        return float(((np.array(guesses) - z) ** 2).mean())

    assert error(evidence.worth(z_e, z)) < min(error(0.2), error(0.6), error(1.0))
    left = evidence.spread(z) * evidence.deviation(evidence.worth(z_e, z))
    assert error(evidence.worth(z_e, z)) ** 0.5 == pytest.approx(float(left), rel=0.02)


def test_what_was_measured_stays_as_it_is():
    z = np.array([-1.0, 0.5, 3.0])
    np.testing.assert_allclose(evidence.expected(z, 1.0, usual_e=0.2, usual=0.2, ratio=1.0), z)
    assert evidence.deviation(1.0) == 0


def test_the_best_of_many_names_does_not_stand_before_the_right_picture():
    """200 names that say little, 28 measured models of which one made the picture."""
    rng = np.random.default_rng(1)
    names, measured = rng.normal(size=200), rng.normal(size=28)
    measured[3] = 2.2
    assert names.max() > measured.max()
    guessed = evidence.expected(names, 0.3, usual_e=names.mean(), usual=measured.mean(), ratio=1.0)
    assert guessed.max() < measured[3]


def test_few_models_say_little_of_their_evidence():
    assert evidence.pulled(0.9, 0, 0.3) == pytest.approx(0.3)
    assert evidence.pulled(0.9, 8, 0.3) == pytest.approx(0.6)
    assert evidence.pulled(0.9, 10_000, 0.3) == pytest.approx(0.9, abs=0.001)


def test_more_pictures_say_more_but_never_all():
    rho = evidence.of_pictures(np.array([1, 2, 8, 1000]), 0.4)
    assert (np.diff(rho) > 0).all()
    np.testing.assert_allclose(rho[[0, 3]], [0.4 / 2**0.5, 0.4], atol=1e-3)


def test_spread_of_nothing_is_one():
    assert evidence.spread(np.ones((3, 4))) == 1
    assert evidence.spread(np.empty((0, 0))) == 1


def test_what_a_query_gets_from_models_is_counted_from_its_mean():
    z = np.array([[1.0, 3.0, np.nan], [5.0, np.nan, np.nan], [np.nan] * 3])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(evidence.within(z), [[-1, 1, np.nan], [0, np.nan, np.nan], [np.nan] * 3])
    assert evidence.spread(np.array([[1.0, 3.0], [10.0, 14.0]])) == pytest.approx(((1 + 1 + 4 + 4) / 4) ** 0.5)


def test_worth_asks_those_on_the_edge_of_the_best_too_and_is_at_most_one():
    z_e = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    assert evidence.worth(z_e, np.array([[-2.0, -1.0, 0.0, 2.0, 1.0]]), share=0.25) == pytest.approx((2 + 2) / (1 + 4))
    assert evidence.worth(z_e, np.array([[-0.5, -0.5, -0.5, -0.5, 2.0]])) == 1


def test_an_expected_score_is_stretched_to_the_spread_of_the_better_evidence():
    assert evidence.expected(3.0, 0.5, usual_e=1.0, usual=0.2, ratio=2.0) == pytest.approx(0.2 + 0.5 * 2 * (3 - 1))


def test_pictures_of_a_user_count_for_half_a_generated_one_and_no_more_than_a_taste_allows():
    assert evidence.as_generated(np.array([1, 4]), 0.25) == pytest.approx([0.5 / 1.25, 0.5 / 0.5])
    assert evidence.as_generated(10**6, 0.25) == pytest.approx(2.0, abs=1e-3)
    assert evidence.as_generated(10, 0.0) == pytest.approx(5.0)


@pytest.mark.parametrize("taste", [0.0, 0.3])
def test_taste_is_how_far_means_lie_apart_beyond_what_few_pictures_explain(taste: float):
    rng, B, D = np.random.default_rng(3), 400, 50
    S, n = rng.choice([8, 32], B), rng.choice([4, 16, 64], B)
    sigma = rng.normal(size=(3, B, D)) / D**0.5  # of a variance of 1
    generated = sigma[0] * np.sqrt(evidence.SHARED / S)[:, None]
    users = sigma[1] / np.sqrt(n)[:, None] + sigma[2] * taste**0.5 + np.ones(D)  # what all users ask otherwise
    assert evidence.taste_of(2 * (users - generated), S, n, 4.0) == pytest.approx(taste, abs=0.02)
    assert evidence.taste_of(np.zeros((2, D)), S[:2], n[:2], 1.0) == 0


@pytest.mark.parametrize("B", [2, 3])
def test_taste_is_what_is_spread_besides_the_pictures_themselves(B: int):
    apart = np.random.default_rng(B).normal(size=(B, 7))
    spread = np.var(apart, axis=0, ddof=1).sum()
    S, n = np.full(B, 8), np.full(B, 4)
    found = evidence.taste_of(apart, S, n, 0.5)
    assert found == pytest.approx(spread / 0.5 - 1 / 4 - evidence.SHARED / 8)
