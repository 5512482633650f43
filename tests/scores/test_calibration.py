from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from modelsearch_core.scores import calibration
from modelsearch_core.scores.calibration import NullDistribution
from modelsearch_core.search.yardstick import Yardstick

nan = np.nan


def standardised(scores, bank, groups):
    """z by what a bank gets, hubs left alone."""
    return Yardstick.of(bank, groups, correct=False).z(scores)


@pytest.fixture
def bank():
    return np.random.default_rng(0).normal(0.2, 0.05, (300, 12))


def test_a_hub_s_bias_is_the_mean_of_its_best_background_scores():
    bank = np.array([[1.0, 5.0], [3.0, nan], [2.0, 1.0], [0.0, nan]])
    np.testing.assert_allclose(calibration.hub_bias(bank, k=2), [2.5, 3.0])
    np.testing.assert_allclose(calibration.hub_bias(bank, k=99), [1.5, 3.0])
    np.testing.assert_array_equal(calibration.hub_bias(np.full((3, 2), nan)), [0, 0])
    np.testing.assert_allclose(calibration.hub_bias(np.array([[1.0, nan, 5.0, 2.0]])), [1, 2, 5, 2])  # not 0: a gift
    np.testing.assert_array_equal(calibration.hub_bias(np.zeros((0, 2))), [0, 0])


def test_a_hub_loses_its_head_start(bank):
    scores = np.random.default_rng(1).normal(0.2, 0.05, (50, 12))
    hub = np.eye(12)[0] * 0.2
    assert ((scores + hub).argmax(axis=1) == 0).mean() > 0.8
    corrected = scores + hub - calibration.hub_bias(bank + hub)
    assert (corrected.argmax(axis=1) == 0).mean() < 0.25


def test_what_a_model_usually_gets_is_its_median():
    bank = np.array([[1.0, 5.0, nan], [3.0, nan, nan], [8.0, 1.0, nan]])
    np.testing.assert_allclose(calibration.usual(bank), [3.0, 3.0, 3.0])
    np.testing.assert_allclose(calibration.usual(np.array([[1.0, 4.0], [1.0, 6.0]])), [1.0, 5.0])
    np.testing.assert_array_equal(calibration.usual(np.full((2, 2), nan)), [0, 0])


def test_how_far_a_query_s_scores_are_spread_is_taken_off_it():
    scores = np.random.default_rng(2).normal(size=(3, 12))
    same = calibration.test_normed(7 * scores + 3, 7 * scores + 3)
    np.testing.assert_allclose(same, calibration.test_normed(scores, scores))
    np.testing.assert_allclose(same.std(axis=1), 1)
    own = np.where(np.eye(3, 12, dtype=bool), nan, scores)  # what a query is from is no part of what is usual
    assert np.isfinite(calibration.test_normed(scores, own)).all()
    few = scores[:, :4]
    assert calibration.test_normed(few, few) is few


def n10_in_loops(bank) -> list[int]:
    tops = [sorted(range(len(row)), key=lambda m: -row[m])[:10] for row in bank]
    return [sum(m in top for top in tops) for m in range(bank.shape[1])]


def test_n10_counts_the_first_tens_a_model_is_in(bank):
    np.testing.assert_allclose(calibration.n10(bank), n10_in_loops(bank))
    assert calibration.n10(np.zeros((5, 20))).tolist() == [2.5] * 20
    assert calibration.n10(np.zeros((5, 3))).tolist() == [5] * 3
    assert calibration.n10(np.array([[1.0, nan, 2.0], [nan, nan, nan]])).tolist() == [1, 0, 1]


def test_hubs_are_corrected_only_where_there_are_any():
    rng = np.random.default_rng(2)
    even = rng.standard_normal((500, 100))
    assert abs(calibration.n10_skewness(even)) < 0.5
    assert not calibration.when_to_correct(even)
    assert calibration.when_to_correct(even + 3 * (np.arange(100) < 5))
    assert calibration.n10_skewness(np.ones((500, 100))) == 0
    assert calibration.n10_skewness(np.zeros((0, 100))) == 0


def test_kinds_of_evidence_on_different_scales_become_comparable(bank):
    groups = np.arange(12) % 2
    scale, offset = np.where(groups, 2000.0, 1.0), np.where(groups, -5000.0, 0.0)
    query = bank[:1] + 0.1
    plain = standardised(query, bank, np.zeros(12, int))
    z = standardised(query * scale + offset, bank * scale + offset, groups)
    np.testing.assert_allclose(z, plain, atol=0.2)
    of_bank = standardised(bank, bank, groups)
    np.testing.assert_allclose(np.median(of_bank, axis=0), 0, atol=0.25)
    np.testing.assert_allclose(of_bank.std(), 1, atol=0.1)


def test_a_group_s_z_does_not_depend_on_other_groups(bank):
    groups = np.arange(12) // 6
    alone = standardised(bank[:3, :6], bank[:, :6], groups[:6])
    np.testing.assert_array_equal(standardised(bank[:3], bank, groups)[:, :6], alone)


def test_masked_and_extreme_bank_scores_hardly_move_z(bank):
    masked = bank.copy()
    masked[np.arange(300), np.arange(300) % 12] = nan
    masked[0] = [1e9, -np.inf, *masked[0, 2:]]
    groups = np.zeros(12, int)
    np.testing.assert_allclose(standardised(bank[:5], masked, groups), standardised(bank[:5], bank, groups), atol=0.15)


@pytest.mark.parametrize("bank", [np.zeros((0, 3)), np.full((4, 3), nan), np.full((50, 3), 0.3)])
def test_scores_stay_finite_and_in_order_whatever_the_bank(bank):
    z = standardised(np.array([[0.1, 0.3, 0.2]]), bank, np.array([0, 0, 0]))
    assert np.isfinite(z).all()
    assert np.argsort(z[0]).tolist() == [0, 2, 1]


def test_a_group_that_the_bank_says_too_little_of_is_measured_by_the_scores_at_hand():
    z = standardised(np.array([[1.0, 2.0, 9.0]]), np.array([[5.0, nan, nan]]), np.zeros(3, int))
    low, high = np.quantile([1, 2, 9], [0.16, 0.84])
    np.testing.assert_allclose(z[0], (np.array([1, 2, 9]) - 2) / ((high - low) / 2))


def test_equal_scores_are_zero():
    z = standardised(np.full((1, 4), 0.1 + 0.2), np.full((9, 4), 0.3), np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(z, 0, atol=1e-9)


def test_a_model_that_cannot_be_scored_stays_not_a_number(bank):
    z = standardised(np.array([[nan, *bank[0, 1:]]]), bank, np.zeros(12, int))
    assert np.isnan(z[0, 0])
    assert np.isfinite(z[0, 1:]).all()


def test_relevance_is_the_share_of_background_queries_with_a_lesser_best_match():
    rng = np.random.default_rng(3)
    bank_z = rng.standard_normal((2000, 30))
    of = calibration.null_distribution(bank_z)
    best = bank_z.max(axis=1)
    for z in np.quantile(best, [0.3, 0.5, 0.7, 0.9]):
        assert calibration.relevance(np.array([z]), of)[0] == pytest.approx((best < z).mean(), abs=0.03)
    fresh = rng.standard_normal((2000, 30)).max(axis=1)
    assert (calibration.relevance(fresh, of) < calibration.WEAK_BELOW).mean() == pytest.approx(0.5, abs=0.04)


def test_relevance_rises_smoothly_from_0_to_1_and_tells_strong_matches_apart():
    of = NullDistribution(2.0, 0.3)
    z = np.linspace(-50, 50, 200_001)
    found = calibration.relevance(z, of)
    assert (np.diff(found) >= 0).all()
    assert np.diff(found).max() < 1e-3
    slopes = np.diff(found) / np.diff(z)
    joint = np.searchsorted(z, 2.0 + 0.3 * np.log(9))
    assert slopes[joint - 3] == pytest.approx(slopes[joint + 3], rel=0.02)
    assert 0 <= found[0] < 1e-12
    four, five, six, ten = calibration.relevance(np.array([4.0, 5.0, 6.0, 10.0]), of)
    assert 0.9 < four < five - 0.002 < six - 0.004 < ten - 0.006 < 1


def test_relevance_of_what_cannot_be_scored_is_0_and_infinity_is_1():
    found = calibration.relevance(np.array([nan, -np.inf, np.inf, 1e100]), NullDistribution(0.0, 1.0))
    np.testing.assert_allclose(found, [0, 0, 1, 1], atol=1e-12)


@pytest.mark.parametrize(
    "bank_z", [np.zeros((0, 5)), np.full((3, 5), nan), np.zeros((40, 5)), np.array([[0.3]]), np.array([[nan, 0.1]])]
)
def test_any_bank_gives_a_background(bank_z):
    of = calibration.null_distribution(bank_z)
    assert of.scale > 0
    weak, strong = calibration.relevance(np.array([of.location - 3, of.location + 3]), of)
    assert weak < 0.1 < 0.9 < strong


def test_a_background_query_s_own_models_do_not_count():
    bank_z = np.random.default_rng(4).standard_normal((200, 10))
    own = bank_z.copy()
    own[np.arange(200), np.arange(200) % 10] = 50
    masked = np.where(own == 50, nan, own)
    assert calibration.null_distribution(masked).location == pytest.approx(
        calibration.null_distribution(bank_z).location, abs=0.15
    )


def test_a_kind_of_few_models_is_measured_by_what_all_kinds_get():
    own, common = (0.0, 1.0), (2.0, 3.0)
    assert calibration.shared(own, common, 50, prior=50) == (1.0, 2.0)
    assert calibration.shared(own, common, 0) == common
    assert calibration.shared(own, common, 10**9) == pytest.approx(own, abs=1e-5)


def test_several_queries_of_one_owner_are_a_mean_with_others_of_it():
    owner = np.array([0, 0, 0, 1, 1])
    scores = np.array([[1.0], [2.0], [6.0], [10.0], [20.0]])
    np.testing.assert_allclose(calibration.of_several(scores, owner, 3), [[3], [3], [3], [15], [15]])
    assert set(calibration.of_several(scores, owner, 2)[:3, 0]) <= {1.5, 3.5, 4.0}
    assert calibration.of_several(scores, owner, 1) is scores


def test_views_count_alike_however_far_they_spread():
    first, second = np.array([0.0, 1.0, 2.0]), np.array([2.0, 0.0, 1.0])
    near = calibration.of_views(np.stack([first, second]), 2, np.stack([first, second]))
    far = calibration.of_views(np.stack([first, 100 * second]), 2, np.stack([first, 100 * second]))
    np.testing.assert_array_equal(np.argsort(near[0]), np.argsort(far[0]))


def test_views_that_agree_in_little_are_spread_as_one_view_is():
    rng = np.random.default_rng(0)
    views = rng.standard_normal((4, 500))
    together = calibration.of_views(views, 4, views)
    assert together.std() == pytest.approx(views.std(axis=1).mean())
    np.testing.assert_allclose(
        calibration.of_views(np.tile(views[:1], (4, 1)), 4, np.tile(views[:1], (4, 1))), views[:1]
    )


def test_nothing_known_is_0_in_units_of_1():
    with np.errstate(all="raise"):
        assert calibration.mean_of_top(np.full((3, 2), nan), 2).tolist() == [0, 0]
    assert calibration.location_and_scale(np.array([nan])) == (0.0, 1.0)


def test_skewness_is_its_definition():
    counts = [1] * 10 + [0] * 2  # one query, its first ten of twelve
    mean = sum(counts) / 12
    third, second = (sum((n - mean) ** power for n in counts) / 12 for power in (3, 2))
    assert calibration.n10_skewness(np.arange(12.0)[None]) == pytest.approx(third / second**1.5)


def test_a_kind_s_scale_is_shared_as_its_location_is():
    assert calibration.shared((0.5, 4.0), (2.0, 3.0), 25, prior=75) == pytest.approx((0.125 + 1.5, 1.0 + 2.25))


def test_only_an_owner_s_own_queries_are_put_together():
    found = calibration.of_several(np.array([[1.0], [3.0], [10.0], [30.0], [100.0]]), np.array([0, 0, 1, 1, 2]), 2)
    np.testing.assert_allclose(found, [[2], [2], [20], [20], [100]])


def test_views_are_their_definition():
    rng = np.random.default_rng(6)
    scores, others = rng.gumbel(size=(6, 4)), rng.gumbel(size=(6, 9))  # two sketches in three views
    found = calibration.of_views(scores, 3, others)
    assert found.shape == (2, 4)
    for t in range(2):
        views = [3 * t, 3 * t + 1, 3 * t + 2]
        middle = [sum(others[v]) / 9 for v in views]
        spread = [(sum((x - m) ** 2 for x in others[v]) / 9) ** 0.5 for v, m in zip(views, middle, strict=True)]
        each = zip(views, middle, spread, strict=True)
        standard = [((scores[v] - m) / s, (others[v] - m) / s) for v, m, s in each]
        mean, of_others = (sum(pair[i] for pair in standard) / 3 for i in (0, 1))
        np.testing.assert_allclose(found[t], mean / np.std(of_others) * (sum(spread) / 3) + sum(middle) / 3)


def test_a_view_that_all_models_are_alike_to_says_nothing():
    flat, telling = np.ones(3), np.array([0.0, 1.0, 2.0])
    found = calibration.of_views(np.stack([flat, telling]), 2, np.stack([flat, telling]))
    assert np.argsort(found[0]).tolist() == [0, 1, 2] and np.isfinite(found).all()


def test_what_is_usual_of_a_model_that_nothing_was_compared_with_is_the_others_median():
    assert calibration.usual(np.array([[1.0, 2.0, 9.0, nan]])).tolist() == [1, 2, 9, 2]


def test_a_query_is_normed_by_what_others_give_it():
    rng = np.random.default_rng(7)
    scores, others = rng.gumbel(size=(2, 3)), rng.gumbel(size=(2, 8))
    for t, row in enumerate(calibration.test_normed(scores, others)):
        middle = sum(others[t]) / 8
        spread = (sum((x - middle) ** 2 for x in others[t]) / 8) ** 0.5
        np.testing.assert_allclose(row, [(s - middle) / spread for s in scores[t]])
    assert calibration.test_normed(scores, others[:, :7]) is scores


def test_two_views_are_one_sketch():
    views = np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]])
    np.testing.assert_allclose(calibration.of_views(views, 2, views), [[0, 1.5, 3]])


def test_a_scale_of_rounding_is_none():
    assert calibration.positive(1.5e-6, 0.0) == 1.5e-6
    assert calibration.positive(5e-6, 10.0) == calibration.positive(5e-6, -10.0) == 1


def test_the_best_of_more_grows_as_it_does_from_half_to_whole():
    assert calibration.best_of_more(np.array([[2.0, 1.0]]), 4).tolist() == [2 + (0 + 1) / 2]
    assert calibration.best_of_more(np.array([[nan, 1.0]]), 4).tolist() == [1]


def test_relevance_overflows_nowhere():
    with np.errstate(all="raise", under="ignore"):
        found = calibration.relevance(np.array([-1e6, 1e6]), NullDistribution(0.0, 1.0))
    np.testing.assert_allclose(found, [0, 1], atol=1e-9)


def test_what_an_owner_s_rows_share_is_its_definition():
    rng = np.random.default_rng(8)
    h, owner, middle = rng.gumbel(size=(6, 3)), np.array([0, 0, 0, 1, 1, 2]), rng.gumbel(size=3)
    products = [
        [[(h[i] - middle) @ (h[j] - middle) for j in rows if j != i] for i in rows] for rows in ([0, 1, 2], [3, 4])
    ]
    together = np.mean([np.mean(of) for of in products])  # each owner counts as much, whatever it has
    expected = together / np.mean([(row - middle) @ (row - middle) for row in h])
    assert calibration.owners_share(h, owner, middle) == pytest.approx(expected)
    assert np.isnan(calibration.owners_share(h, np.arange(6), middle))
    with np.errstate(all="raise"):
        assert np.isnan(calibration.owners_share(np.ones((6, 3)), owner, np.ones(3)))


def test_copies_of_a_picture_count_as_one_and_pictures_as_unlike_as_the_background_s_as_many():
    rng = np.random.default_rng(9)
    one = rng.standard_normal((1, 500))
    assert calibration.as_many(np.tile(one, (6, 1)), 0.3, np.zeros(500)) == pytest.approx(1)
    common = np.sqrt(0.3) * rng.standard_normal(40_000)
    alike = common + np.sqrt(0.7) * rng.standard_normal((6, 40_000))
    assert calibration.as_many(alike, 0.3, np.zeros(40_000)) == pytest.approx(6, rel=0.1)
    assert calibration.as_many(alike + 5, 0.3, np.full(40_000, 5.0)) == pytest.approx(6, rel=0.1)
    opposite = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert calibration.as_many(opposite, 0.3, np.zeros(2)) == np.inf
    assert calibration.as_many(np.zeros((3, 2)), 0.3, np.zeros(2)) == 1


@pytest.mark.parametrize("others", [np.empty((2, 0)), np.full((2, 3), np.nan)])
@pytest.mark.filterwarnings("error")
def test_views_of_which_nothing_is_known_otherwise_are_taken_as_they_are(others: NDArray[np.float64]):
    np.testing.assert_allclose(calibration.of_views(np.array([[1.0, 2], [3, 6]]), 2, others), [[2, 4]])


@pytest.mark.filterwarnings("error")
def test_a_query_whose_others_are_unknown_keeps_its_scores():
    others = np.stack([np.full(8, np.nan), np.arange(8.0)])
    normed = calibration.test_normed(np.array([[1.0, 2], [3.5, 3.5]]), others)
    np.testing.assert_allclose(normed, [[1, 2], [0, 0]])
