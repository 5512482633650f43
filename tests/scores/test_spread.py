"""An order in which a collection is covered early."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.embedding import unit
from modelsearch_core.scores import spread
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


def by_definition(spaces: list[np.ndarray], known: list[int]) -> list[int]:
    """Each next one is the farthest from all before it, among equals the first."""

    def distance(i: int, j: int) -> float:
        told = [1 - X[i] @ X[j] for X in spaces if X[i].any() and X[j].any()]
        return max(0.0, sum(told)) / len(told) if told else 1.0

    before = list(known)
    while len(before) < len(spaces[0]):
        left = [i for i in range(len(spaces[0])) if i not in before]
        before.append(max(left, key=lambda i: min(distance(i, j) for j in before)))
    return before[len(known) :]


def test_the_order_is_its_definition_over_what_is_known_of_each():
    rng = np.random.default_rng(2)
    first, second = (unit(rng.normal(size=(30, 3))) for _ in range(2))
    first[[4, 7, 9]], second[[7, 9, 20]] = 0, 0
    with np.errstate(all="raise"):
        assert farthest_first([first, second], known=[5]) == by_definition([first, second], [5])


def test_those_that_are_too_many_to_choose_follow_by_their_distance(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spread, "MOST", 1)
    angles = np.radians([0, 180, 90, 95, 60, 180])
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert farthest_first([X], known=[0]) == [1, 2, 3, 4, 5]


def test_what_is_wanted_first_comes_first_though_it_is_known_already():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert farthest_first([X], known=[0], first=[2]) == [2, 1]
