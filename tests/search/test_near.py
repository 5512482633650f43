"""Of very many models, those that a column has near are judged: the first ones are those of all, whoever finds them."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalogues import ENCODER, Chance, fill
from modelsearch_core import nearest
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import unit
from modelsearch_core.search import Filters, ModelIndex, Query, near
from modelsearch_core.statistics.nearby import PATIENCE, Nearby

M = 150
TEXTS = [Query(text=[f"question {seed}"]) for seed in range(12)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("near") / "catalogue.sqlite"
    fill(path, M, measured=0.8)
    return path


@pytest.fixture(params=["exact", "in bytes"])
def index(path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModelIndex:
    monkeypatch.setattr(nearest, "MANY", 60)
    monkeypatch.setattr(near, "MOST", 32)
    monkeypatch.setattr(near, "LEAST", 8)
    index = ModelIndex.open(path, encoder=Chance())
    if request.param == "exact":
        monkeypatch.setattr(nearest, "is_there", lambda: False)
    else:
        pytest.importorskip("faiss", reason="the extra `ann` is not installed")
        for column in ("means", "directions", "words"):
            index.statistics.nearby(column).pack()
    return index


def found(index: ModelIndex, query: Query, **how: object) -> list[tuple[str, float]]:
    matches = index.search(query, k=5, **how)  # pyright: ignore[reportArgumentType]
    return [(match.id, round(match.score, 4)) for match in matches]


def test_the_first_ones_of_texts_are_those_of_all(index: ModelIndex):
    assert [found(index, query) for query in TEXTS] == [found(index, query, exact=True) for query in TEXTS]


def test_the_first_ones_of_models_are_those_of_all(index: ModelIndex):
    queries = [Query(like=[entry.fingerprint]) for entry in index.collection.entries[::20]]
    assert [found(index, query) for query in queries] == [found(index, query, exact=True) for query in queries]


def test_a_filter_comes_before_what_is_near(index: ModelIndex):
    some = Filters(among=[entry.path for entry in index.collection.entries[1::2]])
    for query in TEXTS:
        answer = found(index, query, filters=some)
        assert answer == found(index, query, filters=some, exact=True)
        assert all(index.collection.row_of[id] % 2 for id, _ in answer)


def test_only_what_is_near_is_judged(index: ModelIndex, monkeypatch: pytest.MonkeyPatch):
    judged: list[int] = []
    answer = index._answering.answer
    monkeypatch.setattr(
        index._answering,
        "answer",
        lambda requirement, method, models: judged.append(len(models)) or answer(requirement, method, models),
    )
    found(index, TEXTS[0])
    assert 32 <= judged[0] < M
    for query in (Query(text=["a", "b"]), Query(text=["a"], without=["b"])):  # a sum of several is judged by all
        found(index, query)
    assert judged[1:] == [M] * 4


def test_what_is_in_bytes_goes_on_as_models_come_and_go(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    monkeypatch.setattr(nearest, "MANY", 60)
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with ModelIndex.open(copy, encoder=Chance()) as index, Catalog(copy) as writer:
        for column in ("means", "directions", "words"):
            index.statistics.nearby(column).pack()
        entries = index.collection.entries
        old = writer.specification(*entries[7].key, ENCODER)
        assert old is not None
        rolled = np.roll(np.asarray(old.Z, np.float32), 1, axis=1)
        writer.put_specification(type(old)(**{**vars(old), "Z": rolled}))
        writer.forget(entries[9].fingerprint)
        monkeypatch.setattr(Nearby, "pack", None)  # it is not made anew
        with index.renewed() as renewed:
            assert len(renewed.collection) == M - 1
            for column, rows in (("means", renewed.statistics.means), ("words", renewed.collection.words.Z)):
                nearby = renewed.statistics.nearby(column)
                owners = renewed.collection.words.owners() if column == "words" else renewed.collection.all
                assert nearby.is_packed
                for row in (0, 7, 8, 40):
                    among = np.arange(M - 1) != 3
                    best = [i for i in np.argsort(-(rows @ rows[row]), kind="stable") if owners[i] != 3][:6]
                    assert nearby.best(rows[row], 6, among).tolist() == np.unique(owners[best]).tolist()
            assert [found(renewed, query) for query in TEXTS] == [found(renewed, query, exact=True) for query in TEXTS]
        assert index.statistics.nearby("means").best(index.statistics.means[9], 1, np.ones(M, bool)).tolist() == [9]


def test_where_most_has_gone_bytes_are_made_anew():
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    rows = unit(np.random.default_rng(0).normal(size=(40, 8))).astype(np.float32)
    packed = Nearby(range(40), rows, np.arange(40))
    packed.pack()
    assert Nearby(range(21), rows[:21], np.arange(21), packed).is_packed
    assert not Nearby(range(19), rows[:19], np.arange(19), packed).is_packed


def test_who_asks_a_third_time_has_bytes_made():
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    rows = unit(np.random.default_rng(0).normal(size=(40, 8))).astype(np.float32)
    nearby, everyone = Nearby(range(40), rows, np.arange(40)), np.ones(40, bool)
    for _ in range(PATIENCE - 1):
        nearby.best(rows[3], 2, everyone)
    assert not nearby.is_packed
    nearby.best(rows[3], 2, everyone)
    deadline = time.monotonic() + 60
    while not nearby.is_packed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert nearby.is_packed
    assert 3 in nearby.best(rows[3], 2, everyone)


def test_without_faiss_it_is_said_how_to_have_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(nearest, "MANY", 60)
    monkeypatch.setattr(nearest, "is_there", lambda: False)
    with caplog.at_level(logging.INFO), ModelIndex.open(path, encoder=Chance()) as index:
        for query in TEXTS[: PATIENCE + 1]:
            found(index, query)
    said = [message for message in caplog.messages if "faiss" in message]
    assert len(said) == 1 and "150 models" in said[0] and 'pip install "model-search[ann]"' in said[0]
