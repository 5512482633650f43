"""What the WebUI's start leaves to a thread, and "Reload UI" in the midst of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest


def test_a_reload_waits_for_what_the_start_began_and_leaves_nothing_running(
    webui: Any, monkeypatch: pytest.MonkeyPatch
):
    from starlette.applications import Starlette

    start, lifecycle = webui.ours("start"), webui.ours("lifecycle")
    monkeypatch.setattr(start, "OURS", ("modelsearch_webui",))  # the core is the other tests', too
    entered, may_go_on, begin = threading.Event(), threading.Event(), lifecycle.begin

    def slow() -> None:
        entered.set()
        assert may_go_on.wait(60)
        begin()

    monkeypatch.setattr(lifecycle, "begin", slow)
    start.started(None, Starlette())
    assert entered.wait(60)
    threading.Timer(0.2, may_go_on.set).start()
    start.unloaded()
    assert not {thread.name for thread in threading.enumerate()} & {"modelsearch-begin", "modelsearch-idle"}
