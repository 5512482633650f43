"""Yardsticks of a bank whose fourth model is near to every query."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.scores.calibration import ALPHA, USUAL
from modelsearch_core.search.yardstick import Measures, Taken, Yardstick

BANK = np.random.default_rng(0).normal(size=(64, 6)) + np.array([0, 0, 0, 1, 0, 0])
GROUPS = np.zeros(6, np.intp)
SCORES = np.full(6, 2.0)
HUB, OTHER = 3, 0


def test_hubs_are_always_taken_off_styles():
    plain, corrected = (Yardstick.of(BANK, GROUPS, correct=always) for always in (False, True))
    assert np.ptp(plain.z(SCORES)) == 0 and np.argmin(corrected.z(SCORES)) == HUB


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        (Taken.USUAL, USUAL * np.median(BANK, axis=0)),
        (Taken.HUBS, ALPHA * np.mean(np.sort(BANK, axis=0)[-16:], axis=0)),
    ],
)
def test_a_share_of_what_a_model_gets_from_the_bank_is_taken_off_it(rule: Taken, taken: np.ndarray):
    measures = Measures.of(BANK, GROUPS, correct=rule is Taken.HUBS, usual=True)
    yardstick = Yardstick(measures, GROUPS)
    z, reading = yardstick.z(SCORES), yardstick.reading(SCORES, HUB)
    assert measures.rule is rule and np.argmin(z) == HUB
    assert (z[OTHER] - z[HUB]) * reading.spread == pytest.approx(taken[HUB] - taken[OTHER])
    assert (reading.score - reading.hub - reading.median) / reading.spread == pytest.approx(reading.z)


def test_without_a_bank_nothing_is_taken_off():
    measures = Measures.of(np.zeros((0, 6)), GROUPS, usual=True)
    assert measures.rule is Taken.NOTHING and measures.bias is None


def test_what_is_taken_off_is_as_usual_for_a_group_until_it_is_worked_out():
    sampled, measures = np.arange(5), Measures.of(BANK[:, :5], GROUPS[:5], correct=True)
    assert measures.bias is not None and measures.scales[0] is not None
    (location, spread), usual = measures.scales[0], float(np.median(measures.bias))
    yardstick = Yardstick(measures, GROUPS, models=sampled, bias_of=lambda models: np.full(len(models), 0.25))
    nearly, whole = yardstick.z(SCORES, nearly=True), yardstick.z(SCORES)
    assert nearly[5] == pytest.approx((2 - usual - location) / spread)
    assert whole[5] == pytest.approx((2 - 0.25 - location) / spread)
    np.testing.assert_array_equal(nearly[:5], whole[:5])
    np.testing.assert_array_equal(yardstick.z(SCORES, nearly=True), whole)
    known = Yardstick(measures, GROUPS, models=sampled, biases=np.array([np.nan] * 5 + [0.25]))
    np.testing.assert_array_equal(known.z(SCORES, nearly=True), whole)
