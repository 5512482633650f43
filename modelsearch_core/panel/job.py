"""An index run in a thread of its own: can be paused, resumed and cancelled; the catalog is readable meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..catalog import Catalog
from ..errors import ModelSearchError
from ..indexing import Engine, IndexSettings, Report, Step, index
from ..indexing.style_vectors import encode_renderings
from ..places import Place
from ..search.preparing import prepare
from .host import Order, Progress, State

log = logging.getLogger(__name__)


class Cancelled(BaseException):
    """Raised out of the progress callback; no model's error handling may take it for a failure."""


class IndexJob:
    """An `Indexer` on `modelsearch_core.indexing`.

    `engine` is made in the thread, when a run starts; with drawings for an order that asks for style, which only those
    that say `paints_drawings` are given. `hold` is asked at every step whether the host's own work should
    go first; the run waits as long as it says so. `watch` hears of every change, from the thread.
    """

    def __init__(
        self,
        catalog_path: Place,
        engine: Callable[[Catalog, Order], Engine],
        folders: Callable[[], Sequence[Path]],
        *,
        paints_drawings: bool = False,
        pictures: Callable[[], Sequence[Path]] = tuple,
        hold: Callable[[], bool] = lambda: False,
        watch: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._catalog_path = catalog_path
        self._engine = engine
        self.paints_drawings = paints_drawings
        self._folders = folders
        self._pictures = pictures
        self._hold = hold
        self._watch = watch
        self._condition = threading.Condition()
        self._progress = Progress()
        self._wanted = State.RUNNING  # or PAUSED, CANCELLED
        self._clock = _Clock()
        self._thread: threading.Thread | None = None

    def progress(self) -> Progress:
        with self._condition:
            return replace(self._progress, **self._clock.reading(self._progress))

    def start(self, order: Order) -> None:
        with self._condition:
            if self._progress.state.active:
                raise ModelSearchError("indexing is running already; cancel it first, or wait for its end")
            self._wanted = State.RUNNING
            self._clock = _Clock()
            self._progress = Progress(state=State.RUNNING, stage="start", run=self._progress.run + 1)
            self._thread = threading.Thread(target=self._run, args=(order,), name="modelsearch-index", daemon=True)
            self._thread.start()
        self._watch(self.progress())

    def pause(self) -> None:
        self._want(State.PAUSED)

    def resume(self) -> None:
        self._want(State.RUNNING)

    def cancel(self) -> None:
        self._want(State.CANCELLED)

    def join(self, timeout: float | None = None) -> None:
        """Waits for the run's end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _want(self, state: State) -> None:
        with self._condition:
            if not self._progress.state.active or self._wanted is State.CANCELLED:
                return
            self._wanted = state
            if state is State.CANCELLED:
                self._progress = replace(self._progress, state=State.CANCELLING)
            self._condition.notify_all()
        self._watch(self.progress())

    def _run(self, order: Order) -> None:
        try:
            self._finish(State.DONE, self._index(order))
        except Cancelled:
            self._finish(State.CANCELLED, None)
        except ModelSearchError as error:
            self._finish(State.FAILED, None, str(error))
        except BaseException as error:  # the thread's last word: nobody else would hear of it
            log.exception("indexing failed")
            self._finish(State.FAILED, None, f"{type(error).__name__}: {error}")

    def _index(self, order: Order) -> Report:
        pictures = looked_at(order, self._pictures)
        settings = IndexSettings(
            samples=order.samples, quick=order.quick, refresh=order.refresh, pictures=pictures, sketches=not order.quick
        )
        with Catalog(self._catalog_path) as catalog:
            engine = self._engine(catalog, order)
            self._wait_while_held()
            report = index(catalog, list(order.paths or self._folders()), engine, settings, self._step)
            if report.rendered:
                encode_renderings(catalog, engine.encoder.name)
                tell_of_training(catalog, engine.encoder.name)
            prepare(catalog, engine.encoder, engine.draw)
            return report

    def _step(self, step: Step) -> None:
        with self._condition:
            now = self._progress
            self._clock.stage(step)
            self._progress = replace(
                now,
                stage=step.stage,
                done=step.done,
                total=step.total,
                model=step.model,
                images=now.images + step.images,
                failures=now.failures + (step.failure is not None),
            )
        self._watch(self.progress())
        self._wait_while_held()

    def _wait_while_held(self) -> None:
        while state := self._held():
            self._show(state)
            with self._condition:
                self._clock.stop()
                self._condition.wait(0.25 if state is State.WAITING else 1.0)
        self._clock.go()
        self._show(State.RUNNING)

    def _held(self) -> State | None:
        if self._wanted is State.CANCELLED:
            raise Cancelled
        if self._wanted is State.PAUSED:
            return State.PAUSED
        return State.WAITING if self._hold() else None

    def _show(self, state: State) -> None:
        with self._condition:
            if self._progress.state is state or self._wanted is State.CANCELLED:
                return
            self._progress = replace(self._progress, state=state)
        self._watch(self.progress())

    def _finish(self, state: State, report: Report | None, message: str = "") -> None:
        with self._condition:
            told = replace(self._progress, **self._clock.reading(self._progress))
            done = {"failures": len(report.failed), "images": report.images} if report else {}
            self._progress = replace(told, state=state, left=None, message=message, **done)
            self._clock.stop()
        self._watch(self._progress)


def looked_at(order: Order, folders: Callable[[], Sequence[Path]]) -> Sequence[Path] | None:
    """The folders of users' pictures, as settings of an index run say them."""
    return None if order.pictures is None else folders() if order.pictures else ()


class _Clock:
    """Seconds of work, without pauses, and how many are left of the stage."""

    def __init__(self) -> None:
        self._since: float | None = time.monotonic()
        self._before = 0.0
        self._stage = ""
        self._stage_began = 0.0
        self._first_done = 0

    def seconds(self) -> float:
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    def stop(self) -> None:
        self._before, self._since = self.seconds(), None

    def go(self) -> None:
        if self._since is None:
            self._since = time.monotonic()

    def stage(self, step: Step) -> None:
        if step.stage != self._stage:
            self._stage, self._stage_began, self._first_done = step.stage, self.seconds(), step.done

    def reading(self, progress: Progress) -> dict[str, float | None]:
        if not progress.state.active:
            return {}
        done, seconds = progress.done - self._first_done, self.seconds()
        if not progress.total or done < 1:
            return {"seconds": seconds, "left": None}
        return {"seconds": seconds, "left": (seconds - self._stage_began) / done * (progress.total - progress.done)}


def tell_of_training(catalog: Catalog, encoder: str) -> None:
    """Says in the log what has become of a trained style encoder, or that training would pay."""
    from ..training.upkeep import keep_up  # brings torch along

    if told := keep_up(catalog, encoder):
        log.info(told)
