"""New files read by a process of its own, and by the thread where none can be had; how a thread rests."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelsearch_core.indexing import Step, silent
from tests.comfyui import pack
from tests.indexing.folders import make_folder

NAMES = ("ink", "neon", "clay", "broken", "oil")


class StoppedError(Exception):
    pass


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The module, with five new files for many."""
    pack.load(monkeypatch, tmp_path)
    make_folder(tmp_path / "models" / "loras", NAMES)
    (tmp_path / "models" / "loras" / "broken.safetensors").write_bytes(b"no model")
    found = importlib.import_module(f"{pack.NAME}.nodes.reading_apart")
    monkeypatch.setattr(found, "MANY", len(NAMES))
    return found


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    """That are started."""
    started: list[subprocess.Popen[str]] = []
    start = subprocess.Popen

    def noted(*args: Any, **more: Any) -> subprocess.Popen[str]:
        started.append(start(*args, **more))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    return started


def read(apart: Any, base: Path, progress: Any = silent) -> list[str]:
    """What is known then, by title."""
    with apart.Catalog(base / "user" / "__modelsearch" / "catalog.sqlite") as catalog:
        apart.read_files(catalog, [base / "models" / "loras"], progress)
        return sorted(model.title for model in catalog.models())


def test_many_new_files_are_read_by_a_process_of_their_own(apart: Any, processes: list[Any], tmp_path: Path):
    steps: list[Step] = []
    assert read(apart, tmp_path, steps.append) == ["clay", "ink", "neon", "oil"]
    assert [process.returncode for process in processes] == [0]
    scanned = [step.model for step in steps if step.stage == "scan"]
    assert scanned[: len(NAMES)] == [f"{name}.safetensors" for name in sorted(NAMES)]
    assert read(apart, tmp_path) == ["clay", "ink", "neon", "oil"]
    assert len(processes) == 1  # nothing is new


def test_few_are_read_without(apart: Any, processes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apart, "MANY", len(NAMES) + 1)
    assert read(apart, tmp_path) == ["clay", "ink", "neon", "oil"]
    assert processes == []


def test_whoever_stops_it_stops_the_process(
    apart: Any, processes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    step = json.dumps(asdict(Step(stage="scan", done=1, total=None)))
    monkeypatch.setattr(apart, "CODE", f"while True: print({step!r}, flush=True)")

    def stop(_: Step) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        read(apart, tmp_path, stop)
    assert processes[0].returncode not in (None, 0)


@pytest.mark.parametrize("program", ["nowhere/python", "/bin/false"])
def test_where_no_process_can_be_had_the_thread_reads(
    apart: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
):
    monkeypatch.setattr(sys, "executable", program)
    assert read(apart, tmp_path) == ["clay", "ink", "neon", "oil"]


def test_a_thread_rests_as_long_as_it_has_worked(apart: Any, monkeypatch: pytest.MonkeyPatch):
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
