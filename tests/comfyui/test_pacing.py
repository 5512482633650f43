"""How a thread of ours makes room for others while it works."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.comfyui import pack


def test_it_rests_as_long_as_it_has_worked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pack.load(monkeypatch, tmp_path)
    pacing = importlib.import_module(f"{pack.NAME}.nodes.pacing")
    now, rests = [0.0], []

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    pace = pacing.Pace()
    for worked in (0.001, 0.0005, 0.0015, 0.03, 5.0):
        now[0] += worked
        pace.rest()
    assert rests == pytest.approx([0.003, 0.03, pacing.LONGEST])
