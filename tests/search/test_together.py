"""Queries that wait at the same time: what all models get is one product, and each has the answer that it has alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalogues import Chance, fill
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.search import Filters, Match, ModelIndex, Query
from modelsearch_core.search import candidates as stage
from modelsearch_core.search.banks import Queries

M = 100
LIKE = "0" * 30 + "20"
Search = tuple[Query, str, Filters | None]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("together") / "catalogue.sqlite"
    fill(path, M, measured=0.8, samples=8)
    return path


@pytest.fixture
def index(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelIndex:
    monkeypatch.setattr(stage, "MOST", 70)
    return ModelIndex.open(path, encoder=Chance())


@pytest.fixture
def products(index: ModelIndex, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """(method, rows) of each product of all models."""
    made: list[tuple[str, int]] = []
    of_all: Callable[[str, Queries], np.ndarray] = index._answering.of_all

    def watched(method: str, queries: Queries) -> np.ndarray:
        made.append((method, len(queries)))
        return of_all(method, queries)

    monkeypatch.setattr(index._answering, "of_all", watched)
    return made


def asked(index: ModelIndex, search: Search) -> list[Match]:
    query, method, filters = search
    return index.search(query, method=method, filters=filters, k=8)


def ahead(index: ModelIndex, searches: Sequence[Search]) -> None:
    index.ask_ahead([(query, method) for query, method, _ in searches])


def searches() -> list[Search]:
    loras = Filters(kind="lora")
    return [
        (Query(text=["a red thing"]), "auto", None),
        (Query(text=["ink", "a castle"], weights=[1, 0.5]), "auto", loras),
        (Query(text=["a portrait"], without=["a photo"]), "auto", None),
        (Query(like=[LIKE]), "auto", None),
        (Query(like=[LIKE], text=["neon"]), "first_moment", loras),
        (Query(text=["neon"]), "gaussian", None),
        (Query(text=["a boat"]), "gaussian", Filters(kind="checkpoint")),
        (Query(text=["a red thing"]), "second_moment", None),
    ]


def test_each_has_the_answer_that_it_has_alone(path: Path, index: ModelIndex, products: list[tuple[str, int]]):
    ahead(index, wanted := searches())
    together = [asked(index, search) for search in wanted]
    with ModelIndex.open(path, encoder=Chance()) as other:
        alone = [asked(other, search) for search in wanted]
    assert [[match.id for match in found] for found in together] == [[match.id for match in found] for found in alone]
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose([m.score for m in ours], [m.score for m in theirs], atol=1e-4)
    assert products == [
        ("first_moment", 6),
        ("paired_difference", 5),
        ("words", 5),
        ("first_moment", 2),
        ("paired_difference", 1),
        ("gaussian", 2),
    ]


def test_what_was_computed_together_is_what_answers_come_from(index: ModelIndex, monkeypatch: pytest.MonkeyPatch):
    ahead(index, wanted := searches()[:4])
    monkeypatch.setattr(index._answering.measuring, "scores", None)
    monkeypatch.setattr(index._answering.measuring, "words", None)
    assert all(len(asked(index, search)) == 8 for search in wanted)


def test_one_that_cannot_be_asked_says_so_in_its_own_turn(index: ModelIndex, products: list[tuple[str, int]]):
    broken: list[Search] = [
        (Query(like=["nobody"]), "auto", None),
        (Query(text=["..."]), "auto", None),
        (Query(text=["a thing"]), "weights", None),
    ]
    good = searches()[:3]
    ahead(index, [broken[0], good[0], broken[1], good[1], broken[2], good[2]])
    reasons = ["is no model of the index", "has no words", "only a LoRA of the index has weights"]
    for search, reason in zip(broken, reasons, strict=True):
        with pytest.raises(ModelSearchError, match=reason):
            asked(index, search)
    assert all(len(asked(index, search)) == 8 for search in good)
    assert ("first_moment", 5) in products


def test_three_are_asked_one_by_one(index: ModelIndex, products: list[tuple[str, int]]):
    ahead(index, searches()[:3])
    assert products == []


def test_who_waits_on_is_not_asked_again(index: ModelIndex, products: list[tuple[str, int]]):
    ahead(index, wanted := searches()[:4])
    made = len(products)
    asked(index, wanted[0])
    ahead(index, [*wanted[1:], *searches()[:2]])
    assert len(products) == made


def test_nothing_is_kept_of_what_was_answered(index: ModelIndex):
    ahead(index, wanted := searches()[:4])
    assert len(index._answering._of_all) > 0
    for search in wanted:
        asked(index, search)
    assert len(index._answering._of_all) == len(index._answering._of_some) == 0


def test_very_many_rows_are_multiplied_in_parts(
    index: ModelIndex, products: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
):
    from modelsearch_core.search import together

    monkeypatch.setattr(together, "AT_ONCE", 3 * M)
    ahead(index, [(Query(text=[f"thing {n}"]), "first_moment", None) for n in range(7)])
    assert products == [("first_moment", 3), ("first_moment", 3), ("first_moment", 1)]
