"""Texts of many who ask at once: encoded together, each gets its own, the last are kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Features
from modelsearch_core.indexing import IndexSettings, index
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.search.text_features import TextFeatures
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder
from tests.panel.conftest import colour_engine


class Slow:
    """Encodes a text as its length, and waits in the first call until it may go on."""

    name, dimension = "slow", 2

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def encode_texts(self, texts: Sequence[str]) -> Features:
        self.calls.append(list(texts))
        if len(self.calls) == 1:
            self.has_begun.set()
            assert self.may_go_on.wait(30)
        if "broken" in texts:
            raise RuntimeError("broken")
        return np.array([[len(text), 1] for text in texts], np.float32)

    def encode_images(self, images: Sequence[object]) -> Features:
        raise AssertionError("not asked")


def lengths(features: Features) -> list[float]:
    return features[:, 0].tolist()


def quick() -> Slow:
    encoder = Slow()
    encoder.may_go_on.set()
    return encoder


def all_wait(features: TextFeatures, count: int) -> None:
    while len(features._waiting) < count:
        threading.Event().wait(0.001)


def test_what_comes_while_the_encoder_is_at_work_is_encoded_together():
    encoder, found = Slow(), dict[int, list[float]]()
    features = TextFeatures()

    def ask(number: int, *texts: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: found.update({number: lengths(features.of(texts, lambda: encoder))}))
        thread.start()
        return thread

    first = ask(0, "a")
    assert encoder.has_begun.wait(30)
    others = [ask(1, "bb", "ccc"), ask(2, "dddd", "bb"), ask(3, "ccc")]
    all_wait(features, 3)
    encoder.may_go_on.set()
    for thread in (first, *others):
        thread.join()
    assert found == {0: [1], 1: [2, 3], 2: [4, 2], 3: [3]}
    assert [sorted(call) for call in encoder.calls] == [["a"], ["bb", "ccc", "dddd"]]


def test_a_text_that_is_kept_is_not_encoded_again():
    encoder = quick()
    features = TextFeatures(kept=2)
    assert lengths(features.of(["a", "bb", "a"], lambda: encoder)) == [1, 2, 1]
    assert lengths(features.of(["a"], lambda: encoder)) == [1]
    assert lengths(features.of(["ccc", "a"], lambda: encoder)) == [3, 1]  # now bb was asked for longest ago
    assert lengths(features.of(["bb", "a", "ccc"], lambda: encoder)) == [2, 1, 3]
    assert encoder.calls == [["a", "bb"], ["ccc"], ["bb"]]


def test_who_waited_with_one_that_fails_gets_his_own():
    encoder, found, failed = Slow(), list[float](), list[str]()
    features = TextFeatures()

    def ask_broken() -> None:
        with pytest.raises(RuntimeError, match="broken"):
            features.of(["broken"], lambda: encoder)
        failed.append("broken")

    threads = [
        threading.Thread(target=lambda: features.of(["a"], lambda: encoder)),
        threading.Thread(target=ask_broken),
    ]
    threads[0].start()
    assert encoder.has_begun.wait(30)
    threads[1].start()
    all_wait(features, 1)
    threads.append(threading.Thread(target=lambda: found.extend(lengths(features.of(["bb"], lambda: encoder)))))
    threads[2].start()
    all_wait(features, 2)
    encoder.may_go_on.set()
    for thread in threads:
        thread.join()
    assert failed == ["broken"]
    assert found == [2]


def test_an_index_that_is_read_again_knows_the_texts_of_before(tmp_path: Path):
    make_folder(tmp_path / "models", ["base checkpoint", "red"])
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], colour_engine(), IndexSettings(samples=2))
    encoder = ColourEncoder()
    asked: list[str] = []

    class Watched(ColourEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Features:
            asked.extend(texts)
            return encoder.encode_texts(texts)

    before = ModelIndex.open(tmp_path / "catalog.sqlite", encoder=Watched())
    before.read_ahead(Query(text=["red"]))
    assert "red" in asked
    asked.clear()
    with before.renewed() as again:
        again.read_ahead(Query(text=["red"]))
    assert asked == []
