from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core import nearest
from modelsearch_core.embedding import unit
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.nearest import Exact, InBytes, Nearest

M, D = 3000, 32
rng = np.random.default_rng(0)
rows = (unit(rng.normal(size=D)) + 0.3 * unit(rng.normal(size=(M, D)))).astype(np.float32)
queries = unit(rng.normal(size=(20, D))).astype(np.float32)


def in_bytes() -> InBytes:
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    return InBytes.of(np.array_split(rows, 3), lambda numbers: rows[numbers], rows[:1000])


@pytest.fixture(params=["exact", "in bytes"])
def backend(request: pytest.FixtureRequest) -> Nearest:
    return Exact(rows) if request.param == "exact" else in_bytes()


def expected(h: np.ndarray, k: int, among: np.ndarray | None = None) -> list[int]:
    allowed = range(M) if among is None else np.flatnonzero(among).tolist()
    return sorted(allowed, key=lambda m: -float(rows[m] @ h))[:k]


def test_the_best_are_those_of_a_whole_sort(backend: Nearest):
    for h in queries:
        assert backend.best(h, 10).tolist() == expected(h, 10)


@pytest.mark.parametrize("share", [0.5, 0.01, 0.001])
def test_a_filter_loses_nothing(backend: Nearest, share: float):
    among = np.random.default_rng(1).random(M) < share
    for h in queries:
        assert backend.best(h, 10, among).tolist() == expected(h, 10, among)


def test_where_nothing_passes_nothing_is_found(backend: Nearest):
    assert backend.best(queries[0], 10, np.zeros(M, bool)).tolist() == []


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_one_broken_row_costs_no_other(broken: float):
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    some = rows.copy()
    some[7, 3] = broken
    with np.errstate(invalid="ignore"):
        found = InBytes.of([some], lambda numbers: rows[numbers], some)
        for h in queries:
            assert found.best(h, 10, np.arange(M) != 7).tolist() == expected(h, 10, np.arange(M) != 7)


def test_what_was_removed_is_found_no_more_and_what_was_added_is():
    found, last = in_bytes(), M
    best = found.best(queries[0], 2)
    found.remove(best[:1])
    assert found.best(queries[0], 1).tolist() == [best[1]]
    everything = np.concatenate([rows, 3 * queries[:1]])
    found._read = lambda numbers: everything[numbers]
    found.add(everything[last:])
    assert len(found) == M + 1 and found.best(queries[0], 1).tolist() == [last]


def test_numbers_that_reach_far_count_as_they_are():
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    wide = (np.random.default_rng(2).normal(size=(M, D)) * np.logspace(-2, 1, D)).astype(np.float32)
    found = InBytes.of([wide], lambda numbers: wide[numbers], wide)
    for h in queries:
        assert set(np.argsort(-(wide @ h))[:10]) <= set(found.near(h, 20))


def test_without_faiss_it_is_said_where_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest, "is_there", lambda: False)
    with pytest.raises(ModelSearchError, match=r'pip install "model-search\[ann\]"'):
        InBytes(lambda numbers: rows[numbers], D)
