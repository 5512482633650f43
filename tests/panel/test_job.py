"""An index run: progress, pause, resume, cancel, failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing import Engine
from modelsearch_core.model_files import ModelFile
from modelsearch_core.panel import IndexJob, Order, Panel, Progress, State
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.panel.conftest import ColourHost

NAMES = ["base checkpoint", "red", "green", "blue"]


class Gate:
    """Lets an index run go on step by step: a run waits at every model until it is let through."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self.reached = threading.Event()

    def __call__(self, models: Sequence[ModelFile]) -> ColourGenerator:
        gate, generator = self, ColourGenerator(models, broken=["blue"])
        generate = generator.generate

        def slow(*args: object) -> object:
            gate.reached.set()
            assert gate._free.wait(30)
            return generate(*args)  # type: ignore[arg-type]

        generator.generate = slow  # type: ignore[method-assign,assignment]
        return generator

    def open(self) -> None:
        self._free.set()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_folder(tmp_path / "models", NAMES)
    return tmp_path


def job(models: Path, generator_for: Callable[[Sequence[ModelFile]], ColourGenerator], **others: object) -> IndexJob:
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image
    )
    return IndexJob(models / "catalog.sqlite", lambda *_: engine, lambda: [models / "models"], **others)  # type: ignore[arg-type]


def wait_for(job: IndexJob, *states: State) -> Progress:
    until = time.monotonic() + 30
    while job.progress().state not in states:
        assert time.monotonic() < until, job.progress()
        time.sleep(0.01)
    return job.progress()


def stored(models: Path) -> list[str]:
    with Catalog(models / "catalog.sqlite") as catalog:
        return [evidence.value for _, _, evidence, _ in catalog.specification_keys(ColourEncoder.name)]


def test_a_run_goes_to_its_end_and_counts_what_failed(models: Path):
    heard: list[Progress] = []
    run = job(models, lambda found: ColourGenerator(found, broken=["blue"]), watch=heard.append)
    assert run.progress().state is State.IDLE
    run.start(Order(samples=8))
    run.join(60)
    end = run.progress()
    assert (end.state, end.stage, end.done, end.total, end.failures) == (State.DONE, "generate", 4, 4, 1)
    assert end.images == 24
    assert {step.stage for step in heard} >= {"start", "scan", "previews", "generate"}
    assert heard[-1].state is State.DONE
    assert stored(models).count("generated") == 3


def test_a_paused_run_stands_still_and_goes_on(models: Path):
    gate = Gate()
    run = job(models, gate)
    run.start(Order(samples=8))
    assert gate.reached.wait(30)
    run.pause()
    gate.open()
    wait_for(run, State.PAUSED)
    before = run.progress()
    time.sleep(0.3)
    after = run.progress()
    assert after.images == before.images
    assert after.seconds == pytest.approx(before.seconds, abs=0.05)
    run.resume()
    run.join(60)
    assert run.progress().state is State.DONE


def test_a_cancelled_run_keeps_what_is_finished_and_can_be_taken_up_again(models: Path):
    gate = Gate()
    run = job(models, gate)
    run.start(Order(samples=8))
    assert gate.reached.wait(30)
    run.cancel()
    assert run.progress().state is State.CANCELLING
    gate.open()
    assert wait_for(run, State.CANCELLED).message == ""
    assert stored(models).count("generated") == 0
    with Catalog(models / "catalog.sqlite") as catalog:
        assert catalog.failures() == {}  # to be stopped is no fault of the model
    run.start(Order(samples=8))
    run.join(60)
    assert stored(models).count("generated") == 3


def test_a_paused_run_can_be_cancelled(models: Path):
    gate = Gate()
    run = job(models, gate)
    run.start(Order(samples=8))
    assert gate.reached.wait(30)
    run.pause()
    gate.open()
    wait_for(run, State.PAUSED)
    run.cancel()
    wait_for(run, State.CANCELLED)


def test_two_runs_at_once_are_refused(models: Path):
    gate = Gate()
    run = job(models, gate)
    run.start(Order(samples=8))
    with pytest.raises(ModelSearchError, match="running already"):
        run.start(Order())
    gate.open()
    run.join(60)


def test_a_run_waits_while_the_host_works(models: Path):
    busy = threading.Event()
    busy.set()
    run = job(models, ColourGenerator, hold=busy.is_set)
    run.start(Order(samples=8))
    wait_for(run, State.WAITING)
    busy.clear()
    run.join(60)
    assert run.progress().state is State.DONE


def test_what_concerns_all_models_ends_the_run_with_its_message(models: Path):
    run = job(models, ColourGenerator)
    run.start(Order(paths=[models / "nowhere"]))
    assert "nowhere does not exist" in wait_for(run, State.FAILED).message
    run.start(Order(samples=4))
    run.join(60)
    assert run.progress().state is State.DONE


def test_an_unforeseen_error_ends_the_run_with_its_name(models: Path):
    def broken(_: Sequence[ModelFile]) -> ColourGenerator:
        raise MemoryError("out of memory")

    run = job(models, broken)
    run.start(Order())
    assert wait_for(run, State.FAILED).message == "MemoryError: out of memory"


def test_one_model_can_be_tried_again(models: Path):
    run = job(models, lambda found: ColourGenerator(found, broken=["blue"]))
    run.start(Order(samples=8))
    run.join(60)
    again = job(models, ColourGenerator)
    again.start(Order(paths=[models / "models" / "blue.safetensors"], samples=8))
    again.join(60)
    assert again.progress().total == 1
    assert stored(models).count("generated") == 4
    with Catalog(models / "catalog.sqlite") as catalog:
        assert len(catalog.models()) == 4


def test_searching_goes_on_while_it_runs(models: Path):
    quick = job(models, ColourGenerator)
    quick.start(Order(quick=True))
    quick.join(60)
    gate = Gate()
    run = job(models, gate)
    run.start(Order(samples=8))
    assert gate.reached.wait(30)
    panel = Panel(models / "catalog.sqlite", ColourHost(models))
    assert panel.search({"text": ["red"]}, {})["matches"][0]["name"] == "red"
    gate.open()
    run.join(60)
