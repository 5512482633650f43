"""Rows that an answer came down to are kept for the next question: so many bytes of them, and none that has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.catalogues import ENCODER, Chance, fill, picture
from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.catalog import Packed
from modelsearch_core.collection.kept_rows import KeptRows
from modelsearch_core.search import Filters, ModelIndex, Query

M = 20


def rows(size: int) -> Packed:
    return Packed(b"1234", 1, bytes(size - 6), b"12")


def reader(read: list[list[int]], size: int = 10) -> Any:
    return lambda places: read.append(places) or [rows(size) for _ in places]


def test_only_what_is_not_here_is_read():
    kept, read = KeptRows(), list[list[int]]()
    kept.get([("a",), ("b",)], reader(read))
    assert kept.get([("c",), ("a",), ("b",), ("d",)], reader(read)) == [rows(10)] * 4
    assert read == [[0, 1], [0, 3]]


def test_what_was_asked_for_longest_ago_goes_first():
    kept, read = KeptRows(most=30), list[list[int]]()
    for names in (["a", "b", "c"], ["a"], ["d"], ["a", "c", "d"], ["b"]):
        kept.get([(name,) for name in names], reader(read))
        assert kept.bytes <= 30
    assert read == [[0, 1, 2], [0], [0]]


def test_more_than_there_is_room_for_is_told_all_the_same():
    kept, read = KeptRows(most=30), list[list[int]]()
    assert len(kept.get([(n,) for n in range(8)], reader(read))) == 8
    assert kept.bytes == 30
    kept.get([(5,), (6,), (7,)], reader(read))
    kept.get([(9,)], reader(read, 31))
    assert kept.bytes == 0 and len(read) == 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.sqlite"
    fill(path, M, measured=1.0)
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fingerprints of models whose packed rows were read, since it was cleared."""
    found: list[str] = []
    packed_rows = Catalog.packed_rows

    def told(self: Catalog, encoder: str, keys: Sequence[tuple[str, str]], *, drawn: bool = False) -> Any:
        found.extend(fingerprint for fingerprint, digest in keys if not digest.startswith("words"))
        return packed_rows(self, encoder, keys, drawn=drawn)

    monkeypatch.setattr(Catalog, "packed_rows", told)
    return found


@pytest.mark.parametrize("kind", ["images", "sketches"])
def test_the_next_question_reads_no_rows_but_of_models_measured_anew(path: Path, read: list[str], kind: str):
    with ModelIndex.open(path, encoder=Chance()) as index, Catalog(path) as writer:
        some = [entry.path for entry in index.collection.entries[:12]]

        def ask(seed: int) -> list[tuple[str, float]]:
            query = Query(**{kind: [picture(seed)]})  # pyright: ignore[reportArgumentType]
            return [(match.id, match.score) for match in index.search(query, filters=Filters(among=some))]

        ask(0)
        assert read
        read.clear()
        second = ask(1)
        assert read == []
        entry = index.collection.entries[4]
        old = writer.specification(*entry.key, ENCODER)
        assert old is not None
        rolled = {name: np.roll(np.asarray(getattr(old, name), np.float32), 1, axis=1) for name in ("Z", "drawings")}
        writer.put_specification(type(old)(**{**vars(old), **rolled}))
        assert index.reload()
        index.search(Query(**{kind: [picture(0)]}))  # pyright: ignore[reportArgumentType]
        read.clear()
        third = ask(1)
        assert set(read) <= {entry.fingerprint}
        assert third != second
        with ModelIndex.open(path, encoder=Chance()) as anew:
            query = Query(**{kind: [picture(1)]})  # pyright: ignore[reportArgumentType]
            told = [(match.id, match.score) for match in anew.search(query, filters=Filters(among=some))]
        assert [id for id, _ in third] == [id for id, _ in told]
        assert [score for _, score in third] == pytest.approx([score for _, score in told])
