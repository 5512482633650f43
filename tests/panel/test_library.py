"""What the panel shows when an index run has ended: what the run wrote."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelsearch_core.panel import Order, Panel
from tests.panel.conftest import ColourHost


@pytest.fixture
def host(folder: Path) -> ColourHost:
    return ColourHost(folder)


@pytest.fixture
def panel(folder: Path, host: ColourHost) -> Iterator[Panel]:
    panel = Panel(folder / "catalog.sqlite", host)
    yield panel
    panel.close()


def run_that_nobody_watches(folder: Path, host: ColourHost) -> None:
    shutil.copy(folder / "models" / "red.safetensors", folder / "models" / "red once more.safetensors")
    host.indexer.start(Order(quick=True))
    host.indexer.join()


def paths(panel: Panel) -> set[str]:
    models = panel.library.newest().models
    return {path.stem for model in models for path in (model.path, *model.copies)}


def test_a_run_that_came_and_went_between_two_questions_is_seen(panel: Panel, folder: Path, host: ColourHost):
    assert "red once more" not in paths(panel)
    run_that_nobody_watches(folder, host)
    assert "red once more" in paths(panel)


def test_who_asks_after_a_run_waits_for_a_reading_that_began_before_its_end(
    panel: Panel, folder: Path, host: ColourHost, monkeypatch: pytest.MonkeyPatch
):
    assert "red once more" not in paths(panel)
    panel.library.forget_reading()
    has_begun, may_go_on = threading.Event(), threading.Event()
    read = panel.library._has_changed

    def slow(snapshot: object) -> bool:
        has_begun.set()
        may_go_on.wait(30)
        return read(snapshot)  # type: ignore[arg-type]

    monkeypatch.setattr(panel.library, "_has_changed", slow)
    first = threading.Thread(target=panel.library.newest)
    first.start()
    assert has_begun.wait(30)
    run_that_nobody_watches(folder, host)
    threading.Timer(0.2, may_go_on.set).start()
    assert "red once more" in paths(panel)
    first.join()


def test_what_is_set_by_hand_during_a_reading_that_began_before_is_seen(panel: Panel, monkeypatch: pytest.MonkeyPatch):
    id = next(model.id for model in panel.library.newest().models if model.path.stem == "red")
    panel.library.forget_reading()
    has_begun, may_go_on = threading.Event(), threading.Event()
    read = panel.library._has_changed

    def slow(snapshot: object) -> bool:
        told = read(snapshot)  # type: ignore[arg-type]
        has_begun.set()
        may_go_on.wait(30)
        return told

    monkeypatch.setattr(panel.library, "_has_changed", slow)
    first = threading.Thread(target=panel.library.newest)
    first.start()
    assert has_begun.wait(30)
    threading.Timer(0.2, may_go_on.set).start()
    panel.set_by_hand(id, {"trigger_words": ["scarlet"]})
    first.join()
    assert panel.library.newest().model(id).trigger_words == ("scarlet",)
