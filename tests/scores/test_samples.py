"""Samples of many models worked through in parts."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from modelsearch_core.scores import samples

OFFSETS = samples.offsets_of(np.array([2, 3, 2, 2, 2, 2]))


@pytest.mark.parametrize(("block", "together"), [(1, 1), (19, 1), (20, 2), (25, 2), (30, 3), (999, 5)])
def test_models_of_equal_size_come_in_parts_that_fit(monkeypatch: pytest.MonkeyPatch, block: int, together: int):
    monkeypatch.setattr(samples, "BLOCK", block)
    of_two = [0, 2, 3, 4, 5]
    expected = [of_two[a : a + together] for a in range(0, 5, together)]
    *parts, of_three = samples.by_size_in_blocks(OFFSETS, width=5)
    assert [models.tolist() for models, _ in parts] == expected
    assert [rows.tolist() for _, rows in parts] == [[[OFFSETS[m], OFFSETS[m] + 1] for m in part] for part in expected]
    assert [part.tolist() for part in of_three] == [[1], [[2, 3, 4]]]


def test_small_matrices_are_worked_on_by_one_thread():
    samples._pools.cache_clear()  # it knows what was loaded when it was first asked, numpy's at least
    pools = ThreadpoolController().select(user_api="blas")

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in pools.info()}

    with pools.limit(limits=2):
        before = threads()
        with samples.one_thread():
            assert threads() <= {1}
        assert threads() == before


def test_threads_come_back_when_the_last_who_holds_them_leaves():
    samples._pools.cache_clear()
    pools = ThreadpoolController().select(user_api="blas")
    with pools.limit(limits=2):
        before = [pool["num_threads"] for pool in pools.info()]
        first, second = ExitStack(), ExitStack()
        first.enter_context(samples.one_thread())
        second.enter_context(samples.one_thread())
        first.close()
        assert {pool["num_threads"] for pool in pools.info()} == {1}
        second.close()
        assert [pool["num_threads"] for pool in pools.info()] == before


def test_every_thread_can_hold_them_and_whoever_leaves_last_gives_them_back():
    samples._pools.cache_clear()
    pools = ThreadpoolController().select(user_api="blas")

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in pools.info()}

    def inside() -> set[int]:
        with samples.one_thread():
            return threads()

    with pools.limit(limits=2):
        pass
    before = threads()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        for _ in range(2):
            assert inside() == {1}
            assert one.submit(inside).result() == {1}
            assert another.submit(inside).result() == {1}
        held = ExitStack()
        one.submit(held.enter_context, samples.one_thread()).result()
        another.submit(held.close).result()
        assert threads() == before
        assert one.submit(inside).result() == {1}
        assert threads() == before


@pytest.mark.parametrize(
    ("rows", "is_view"),
    [
        ([[2, 3], [4, 5]], True),
        ([[0, 1]], True),
        ([[0, 1], [4, 5]], False),
        ([[2, 3], [0, 1]], False),
        ([[0, 1], [4, 5], [2, 3], [6, 7]], False),
    ],
)
def test_rows_that_follow_each_other_are_not_copied(rows: list[list[int]], is_view: bool):
    Z = np.arange(24.0).reshape(8, 3)
    found = samples.taken(Z, np.array(rows))
    np.testing.assert_array_equal(found, Z[np.array(rows)])
    assert np.shares_memory(found, Z) == is_view


def test_without_threadpoolctl_there_are_as_many_as_ever(monkeypatch: pytest.MonkeyPatch):
    pools = ThreadpoolController().select(user_api="blas")
    with pools.limit(limits=2):
        monkeypatch.setitem(sys.modules, "threadpoolctl", None)
        monkeypatch.setattr(samples, "_pools", samples._pools.__wrapped__)  # what is there is asked once only
        with samples.one_thread():
            assert {pool["num_threads"] for pool in pools.info()} == {2}
