"""Indexing while nobody needs the machine: one model a prompt, at the end of ComfyUI's queue."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.embedding import Encoder
from ..modelsearch_core.errors import MissingWeightsError, ModelSearchError
from ..modelsearch_core.indexing import Engine, IndexSettings, Report, Step, index, update_files
from ..modelsearch_core.model_files import ModelFile
from ..modelsearch_core.panel import Order, Progress, State
from . import places, settings

EVENT = "modelsearch.progress"
NODE = "ModelSearchIndexOne"
IDLE_BEFORE_AUTO = 60.0  # seconds
GLANCE = 5.0  # seconds between two looks whether there is something to do
MOMENT = 0.2  # seconds between two looks whether the user's prompts are through
OFTEN = 0.3  # seconds between two messages to the browsers
DEADLY = 2  # times that ComfyUI ended in the middle of a model, before it counts as failed

log = logging.getLogger(__name__)


class RunEnded(Exception):  # noqa: N818  no error
    """The run ends here."""


class QueueIndexer:
    """The panel's `Indexer`. A thread scans and queues; ComfyUI's own worker generates, through the node `IndexOne`."""

    def __init__(self, open_encoder: Callable[..., Encoder]) -> None:
        self._open_encoder = open_encoder
        self._condition = threading.Condition()
        self._progress = Progress()
        self._order: Order | None = None
        self._wanted = State.IDLE
        self._settings = settings.Settings()
        self._retries = False
        self._began = self._told = self._busy_at = 0.0
        self._prompt = self._outcome = ""
        self._thread: threading.Thread | None = None
        self._following: tuple[Order, bool] | None = None  # started during the first look, which it waits for

    # the panel's side

    def progress(self) -> Progress:
        with self._condition:
            return self._progress

    def start(self, order: Order) -> None:
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
            if self._order is not None and not self._order.quick:
                raise ModelSearchError("indexing is running already; cancel it first, or wait for its end")
            if self._order is not None:
                self._following = order, retries
                return
            self._order, self._wanted, self._settings, self._retries = order, State.RUNNING, chosen, retries
            self._began = time.monotonic()
            self._progress = Progress(state=State.RUNNING, stage="start")
            self._condition.notify_all()
        self._report(state=State.RUNNING)

    def _want(self, state: State) -> None:
        with self._condition:
            if self._order is None or self._wanted is State.CANCELLED:
                return
            self._wanted = state
            self._following = None if state is State.CANCELLED else self._following
            prompt = self._prompt
            self._condition.notify_all()
        if prompt and state is not State.RUNNING:
            from .queue import drop

            drop(prompt)
        self._tell(State.CANCELLING if state is State.CANCELLED else state)

    # the thread's side

    def _live(self) -> None:
        self._first_look()
        while True:
            with self._condition:
                if self._order is None:
                    self._condition.wait(GLANCE)
                order = self._order
            if order is not None:
                self._run(order)
            elif self._may_start_unasked():
                self._begin(Order())

    def _first_look(self) -> None:
        """A run that a restart has cut short goes on; else names, headers and previews are read, unasked."""
        try:
            self._blame_the_last()
            kept = json.loads(settings.load().wanted or "null")
            self._begin(
                Order(**{**kept, "paths": [Path(path) for path in kept["paths"]]}) if kept else Order(quick=True)
            )
        except ModelSearchError as error:
            log.warning("Model Search: %s", error)

    def _blame_the_last(self) -> None:
        """A model that was in progress when ComfyUI ended, for the second time, has failed."""
        chosen = settings.load()
        if not chosen.current:
            return
        deaths = chosen.deaths + 1
        if deaths >= DEADLY:
            with Catalog(places.catalog_path()) as catalog:
                catalog.put_failure(chosen.current, f"ComfyUI ended {deaths} times while it was generated from")
        settings.save(replace(chosen, deaths=deaths, current="" if deaths >= DEADLY else chosen.current))

    def _may_start_unasked(self) -> bool:
        """The setting is on, nothing else was to do for a while, and there is a model to generate from."""
        from .queue import others

        if others():
            self._busy_at = time.monotonic()
        is_quiet = time.monotonic() - max(self._busy_at, self._began) > IDLE_BEFORE_AUTO
        return is_quiet and self._progress.state is not State.CANCELLED and settings.load().auto_index and has_new()

    def _run(self, order: Order) -> None:
        self._keep(order)
        try:
            self._scan(order)
            if not order.quick:
                self._generate(order)
            self._finish(State.DONE)
        except RunEnded:
            self._finish(State.CANCELLED)
        except MissingWeightsError as error:
            self._finish(State.IDLE if order.quick else State.FAILED, str(error))
        except ModelSearchError as error:
            self._finish(State.FAILED, str(error))
        except Exception as error:  # the thread's last word: nobody else would hear of it
            log.exception("indexing failed")
            self._finish(State.FAILED, f"{type(error).__name__}: {error}")

    def _scan(self, order: Order) -> None:
        """Files, words, previews: on the processor, in this thread. No weights are downloaded unasked."""
        from .engine import source_of

        folders = list(order.paths) or list(places.model_folders())
        if not folders:
            raise ModelSearchError("ComfyUI has no folder with models yet")
        with Catalog(places.catalog_path()) as catalog:
            update_files(catalog, folders, IndexSettings(), Report(), self._step)
            source = source_of(catalog)
            self._encoder = self._open_encoder(source, may_download=not order.quick)
            engine = Engine(encoder=self._encoder, encoder_source=source, generator_for=_no_generator, draw=_as_it_is)
            index(catalog, folders, engine, IndexSettings(quick=True), self._step)

    def _generate(self, order: Order) -> None:
        from .engine import models_to_do

        self._hold()
        with Catalog(places.catalog_path()) as catalog:
            wanted = IndexSettings(samples=self._samples(order), refresh=order.refresh)
            found = models_to_do(catalog, self._encoder, self._settings, wanted, retry=self._retries)
        models = [model for model in found if not order.paths or _is_among(model, order.paths)]
        failures = 0
        for done, model in enumerate(models):
            self._report(stage="generate", done=done, total=len(models), model=model.title, failures=failures)
            self._mark(model.fingerprint)
            failures += self._one(model, order)
        self._mark("")
        self._report(stage="generate", done=len(models), total=len(models), failures=failures)

    def _one(self, model: ModelFile, order: Order) -> int:
        """One model to its end, in as many prompts as it is interrupted; 1 if it failed."""
        inputs = {"model": model.fingerprint, "samples": self._samples(order) or 0, "refresh": order.refresh}
        while True:
            self._hold()
            outcome = self._prompted(inputs)
            if outcome in ("done", "failed"):
                return int(outcome == "failed")
            if outcome in ("cancelled", "gone") and self._wanted is State.RUNNING:
                self._want(State.PAUSED)
                self._report(message="Indexing was taken out of the queue; it goes on when you resume it.")
            elif outcome not in ("cancelled", "gone", "yielded"):
                raise ModelSearchError(outcome)

    def _prompted(self, inputs: dict[str, Any]) -> str:
        """What became of one prompt, in the words of `work`, or `gone` if it did not run."""
        from . import queue

        self._outcome = "gone"
        self._prompt = queue.put({"1": {"class_type": NODE, "inputs": inputs}})
        queue.wait_for(self._prompt)
        self._prompt = ""
        return self._outcome

    def _hold(self) -> None:
        """Waits while paused, and while the user's own prompts run; then until the queue was quiet for a while."""
        from .engine import release
        from .queue import others

        while True:
            if self._wanted is State.CANCELLED:
                raise RunEnded
            if others():
                self._busy_at = time.monotonic()
            if self._wanted is State.RUNNING and time.monotonic() - self._busy_at >= self._settings.quiet:
                self._tell(State.RUNNING)
                return
            self._tell(State.PAUSED if self._wanted is State.PAUSED else State.WAITING)
            release()
            with self._condition:
                self._condition.wait(MOMENT)

    def _step(self, step: Step) -> None:
        """Of the scan: makes way for the user's prompts."""
        from .queue import others

        self._report(stage=step.stage, done=step.done, total=step.total, model=step.model)
        while self._wanted is not State.CANCELLED and (self._wanted is State.PAUSED or others()):
            self._tell(State.PAUSED if self._wanted is State.PAUSED else State.WAITING)
            with self._condition:
                self._condition.wait(MOMENT)
        if self._wanted is State.CANCELLED:
            raise RunEnded
        self._tell(State.RUNNING)

    # the worker's side, called by the node

    def work(self, fingerprint: str, wanted: IndexSettings) -> str:
        """Indexes one model: done, failed, yielded, cancelled, or why none of them can be indexed."""
        from .engine import index_one, release

        try:
            self._outcome = index_one(fingerprint, settings.load(), wanted, self._watch)
        except ModelSearchError as error:
            self._outcome = str(error)
        if self._must_stop():
            release()
        return self._outcome

    def _watch(self, images: int) -> None:
        from .painting import InterruptedIndexing

        self._report(images=self._progress.images + images)
        if self._must_stop():
            raise InterruptedIndexing

    def _must_stop(self) -> bool:
        """Whether to make room: a prompt of the user's waits behind ours, or the run is paused or cancelled."""
        from .queue import others

        return others() > 1 or (self._order is not None and self._wanted is not State.RUNNING)

    # what is kept and told

    def _samples(self, order: Order) -> int | None:
        return order.samples or self._settings.samples or None

    def _keep(self, order: Order | None) -> None:
        if order is None or not order.quick:
            kept = json.dumps({**asdict(order), "paths": [str(path) for path in order.paths]}) if order else ""
            settings.save(replace(settings.load(), wanted=kept))

    def _mark(self, fingerprint: str) -> None:
        chosen = settings.load()
        deaths = chosen.deaths if chosen.current == fingerprint else 0
        settings.save(replace(chosen, current=fingerprint, deaths=deaths))

    def _finish(self, state: State, message: str = "") -> None:
        from .engine import release

        release()
        with self._condition:
            order, self._order, self._wanted = self._order, None, State.IDLE
            following, self._following = self._following, None
        if order is not None and not order.quick:
            self._keep(None)
            self._mark("")
        self._report(state=state, message=message)
        if following is not None:
            self._begin(following[0], retries=following[1])

    def downloading(self, file: str, done: int, total: int | None) -> None:
        """In MB."""
        self._report(stage="download", done=done >> 20, total=None if total is None else total >> 20, model=file)

    def _tell(self, state: State) -> None:
        if self._progress.state is not state:
            self._report(state=state)

    def _report(self, **changes: Any) -> None:
        now = time.monotonic()
        with self._condition:
            self._progress = replace(self._progress, **changes, seconds=now - self._began)
            is_due = now - self._told > OFTEN or "state" in changes or "message" in changes
            self._told = now if is_due else self._told
        if is_due:
            from server import PromptServer

            PromptServer.instance.send_sync(EVENT, self._progress.to_json())


def has_new() -> bool:
    """Whether a file is not in the catalog, or a model of it was never generated from nor failed."""
    try:
        with Catalog(places.catalog_path(), read_only=True) as catalog:
            known, models = {file.path for file in catalog.files()}, catalog.models()
            keys = [key for name, _, _ in catalog.encoders() for key in catalog.specification_keys(name)]
            settled = {key[0] for key in keys if key[2].value == "generated"} | catalog.failures().keys()
    except ModelSearchError:
        return True
    listed = {path for kind in places.FOLDERS for path in places.listed(kind)}
    return not listed <= known or any(model.fingerprint not in settled for model in models)


def _is_among(model: ModelFile, paths: Sequence[Path]) -> bool:
    return any(path == model.path or path in model.path.parents for path in paths)


def _no_generator(_: Sequence[ModelFile]) -> Any:
    raise ValueError("a quick look generates nothing")


def _as_it_is(image: Any) -> Any:
    return image
