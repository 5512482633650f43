"""Searches that wait for their turn are asked together, and each gets its own answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.panel import Panel
from modelsearch_core.search import ModelIndex
from modelsearch_core.search.together import Together
from tests.panel.conftest import ColourHost

BODIES: tuple[dict[str, Any], ...] = (
    {"text": ["red"]},
    {"text": ["green"], "kind": "lora"},
    {"like": ["nobody"]},
    {"text": ["blue"], "k": 2},
    {"like": ["yellow"]},
)


@pytest.fixture
def panel(folder: Path) -> Iterator[Panel]:
    panel = Panel(folder / "catalog.sqlite", ColourHost(folder))
    yield panel
    panel.close()


def answer(panel: Panel, body: Mapping[str, Any]) -> list[str] | str:
    try:
        return [match["name"] for match in panel.search(body, {})["matches"]]
    except Exception as error:
        return str(error)


def test_searches_that_wait_are_asked_together(panel: Panel, monkeypatch: pytest.MonkeyPatch):
    alone = [answer(panel, body) for body in BODIES]
    waited: list[int] = []
    ask = ModelIndex.ask_ahead
    monkeypatch.setattr(
        ModelIndex, "ask_ahead", lambda self, waiting: waited.append(len(waiting)) or ask(self, waiting)
    )
    compared: list[int] = []
    compare = Together._compare
    monkeypatch.setattr(Together, "_compare", lambda self, asked: compared.append(len(asked)) or compare(self, asked))
    found: dict[int, list[str] | str] = {}
    threads = [
        threading.Thread(target=lambda n=number, body=body: found.update({n: answer(panel, body)}))
        for number, body in enumerate(BODIES)
    ]
    with panel.library.reading():
        for thread in threads:
            thread.start()
        while len(panel._waiting._items) < len(BODIES):
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(BODIES))] == alone
    assert "'nobody' is no model of the index" in alone[2]
    assert waited == [5, 4, 3, 2, 1]
    assert compared == [4]
    assert panel._waiting._items == {}
