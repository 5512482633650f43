"""An order in which a collection is covered early."""

from __future__ import annotations

import numpy as np

from modelsearch_core.scores.spread import farthest_first


def rows(*angles: float) -> np.ndarray:
    return np.array([[np.cos(a), np.sin(a)] for a in np.radians(angles)])


def test_each_next_one_is_the_farthest_from_all_before_it():
    assert farthest_first([rows(0, 90, 20, 180)], known=[0]) == [3, 1, 2]


def test_duplicates_come_last():
    order = farthest_first([rows(0, 0, 120, 240, 120)], known=[0])
    assert set(order[:2]) in ({2, 3}, {3, 4})
    assert order[-1] in (1, 2, 4)
    assert sorted(order) == [1, 2, 3, 4]
    assert order[-2:] in ([1, 4], [4, 1], [1, 2], [2, 1])


def test_those_that_are_asked_for_come_first_and_count_as_covered():
    assert farthest_first([rows(0, 90, 20, 180)], known=[0], first=[2])[:2] == [2, 3]


def test_without_anything_to_begin_with_the_most_usual_one_begins():
    assert farthest_first([rows(0, 10, 40, 200)])[:2] == [1, 3]


def test_spaces_count_where_they_know_both():
    nothing = np.zeros((4, 2))
    one = rows(0, 90, 180, 45)
    other = nothing.copy()
    other[[0, 3]] = rows(0, 180)
    assert farthest_first([one, other], known=[0]) == [2, 3, 1]  # 3: mean of 1 − cos 45° and of 2


def test_all_are_named_once_however_many():
    X = np.random.default_rng(1).normal(size=(1500, 4))
    assert sorted(farthest_first([X / np.linalg.norm(X, axis=1, keepdims=True)])) == list(range(1500))


def test_nothing_has_no_order():
    assert farthest_first([]) == []
