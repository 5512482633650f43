"""Indexing while nobody needs the machine: the panel's `Indexer`, and a thread that carries out what is ordered."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ..modelsearch_core.embedding import Encoder
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.indexing import IndexSettings
from ..modelsearch_core.panel import Order, Progress, State
from . import places, remembering, renewing, settings
from .announcing import Announcer
from .run import Calm, Run, RunEnded

IDLE_BEFORE_AUTO = 60.0  # seconds
GLANCE = 5.0  # seconds between two looks whether there is something to do

log = logging.getLogger(__name__)


class QueueIndexer:
    """Its thread scans and queues; ComfyUI's own worker generates, through the node `IndexOne`."""

    paints_drawings = True

    def __init__(self, open_encoder: Callable[..., Encoder]) -> None:
        self._open_encoder = open_encoder
        self._announcer, self._calm = Announcer(), Calm()
        self._condition = threading.Condition()
        self._run: Run | None = None
        self._following: tuple[Order, bool] | None = None  # started during the first look, which it waits for
        self._lists: tuple[Any, ...] = ()  # of ComfyUI's, as they were last looked at
        self._is_unwanted = False  # until it is asked for again: a run was cancelled
        self._thread: threading.Thread | None = None
        self.downloading = self._announcer.downloading

    # the panel's side

    def progress(self) -> Progress:
        return self._announcer.progress

    def start(self, order: Order) -> None:
        self._is_unwanted = False
        self._begin(order, retries=True)

    def pause(self) -> None:
        self._want(State.PAUSED)

    def resume(self) -> None:
        self._want(State.RUNNING)

    def cancel(self) -> None:
        self._want(State.CANCELLED)

    def watch(self) -> None:
        """Starts the thread, once the server listens."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name="modelsearch-index", daemon=True)
            self._thread.start()

    def _begin(self, order: Order, *, retries: bool = False) -> None:
        chosen = settings.load()
        with self._condition:
            if self._run is not None and not self._run.order.quick:
                raise ModelSearchError("indexing is running already; cancel it first, or wait for its end")
            if self._run is not None:
                self._following = order, retries
                return
            self._run = Run(order, chosen, self._announcer, self._calm, self._open_encoder, retries=retries)
            self._announcer.begin()
            self._condition.notify_all()

    def _want(self, state: State) -> None:
        with self._condition:
            run = self._run
            self._following = None if state is State.CANCELLED else self._following
        if run is not None:
            run.want(state)

    # the thread's side

    def _live(self) -> None:
        self._first_look()
        while True:
            with self._condition:
                if self._run is None:
                    self._condition.wait(GLANCE)
                run = self._run
            if run is not None:
                self._carry_out(run)
            elif self._has_new_files():
                self._begin(Order(quick=True))
            elif self._may_start_unasked():
                self._begin(Order(style=settings.load().style))

    def _first_look(self) -> None:
        """A run that a restart has cut short goes on; else names, headers and previews are read, unasked."""
        try:
            remembering.blame_the_last()
            self._begin(remembering.kept() or Order(quick=True))
        except ModelSearchError as error:
            log.warning("Model Search: %s", error)

    def _has_new_files(self) -> bool:
        """Once after each change of ComfyUI's lists; they are not made for this."""
        lists, before = places.newest_lists(), self._lists
        self._lists = lists
        is_changed = len(before) != len(lists) or any(a is not b for a, b in zip(before, lists, strict=True))
        return is_changed and renewing.has_unknown()

    def _may_start_unasked(self) -> bool:
        """The setting is on, nothing else was to do for a while, and there is a model to generate from."""
        since = max(self._calm.since(), self._announcer.began_at)
        is_quiet = time.monotonic() - since > IDLE_BEFORE_AUTO
        return is_quiet and not self._is_unwanted and settings.load().auto_index and remembering.has_new()

    def _carry_out(self, run: Run) -> None:
        quick = run.order.quick
        try:
            if not quick:
                remembering.keep(run.order)
            run.carry_out()
            self._finish(run, State.DONE, prompts_only_in_words(run.prompts_only))
        except RunEnded:
            self._is_unwanted = not quick
            self._finish(run, State.CANCELLED)
        except ModelSearchError as error:
            self._finish(run, State.FAILED, str(error))
        except Exception as error:  # the thread's last word: nobody else would hear of it
            log.exception("indexing failed")
            self._finish(run, State.FAILED, f"{type(error).__name__}: {error}")

    def _finish(self, run: Run, state: State, message: str = "") -> None:
        from .engine import forget

        forget()
        with self._condition:
            self._run = None
            following, self._following = self._following, None
        if not run.order.quick:
            remembering.forget_order()
            remembering.mark("")
        self._announcer.report(state=state, message=message)
        if following is not None:
            self._begin(following[0], retries=following[1])

    # the worker's side, called by the node

    def work(self, fingerprint: str, wanted: IndexSettings, *, style: bool) -> str:
        """Indexes one model: done, failed, yielded, cancelled, or why none of them can be indexed."""
        from .engine import index_one, release

        try:
            outcome = index_one(fingerprint, settings.load(), wanted, self._watch, style=style)
        except ModelSearchError as error:
            outcome = str(error)
        if self._run is not None:
            self._run.outcome = outcome
        if self._must_stop():
            release()
        return outcome

    def _watch(self, images: int) -> None:
        from .painting import InterruptedIndexing

        self._announcer.report(images=self.progress().images + images)
        if self._must_stop():
            raise InterruptedIndexing

    def _must_stop(self) -> bool:
        """Whether to make room: a prompt of the user's waits behind ours, or the run is paused or cancelled."""
        from .queue import others

        run = self._run
        return others() > 1 or (run is not None and run.wanted is not State.RUNNING)


def prompts_only_in_words(prompts_only: dict[str, str]) -> str:
    """Which LoRA were not asked with drawings, and why the first of them was not."""
    if not prompts_only:
        return ""
    why = next(iter(prompts_only.values()))
    return why if len(prompts_only) == 1 else f"{len(prompts_only)} LoRA take prompts only; one of them: {why}"
