"""Indexing beside the user's work: in a thread, between the jobs of the queue, and on again after a restart."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_drawer
from modelsearch_core.errors import MissingWeightsError, ModelSearchError
from modelsearch_core.generation import Generator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.indexing import Engine
from modelsearch_core.model_files import ModelFile
from modelsearch_core.panel import IndexJob, Order, Progress, State

from . import pipeline, places, queue, settings
from .bases import read_bases, with_chosen_bases
from .environment import python_with_diffusers
from .generator import WebUIGenerator

log = logging.getLogger(__name__)
QUIET = 3.0  # seconds after a user's job before the index goes on
LOOK = 5.0  # seconds between two looks at whether the WebUI is idle


class WebUIIndexer:
    """A `panel.Indexer` that begins with the WebUI's own lists. What was ordered is in a file until it is done."""

    def __init__(self, catalog_path: Path, open_encoder: Callable[..., Encoder]) -> None:
        self._path = catalog_path
        self._open_encoder = open_encoder
        self._order_file = catalog_path.with_name("ordered.json")
        self._may_download = True
        self._waits_for = ""  # why nothing was read at the start
        self._stopping = False
        self._job = IndexJob(
            catalog_path,
            self._engine,
            lambda: [folder.path for folder in places.folders()],
            pictures=places.picture_folders,
            hold=lambda: queue.busy(QUIET),
            watch=self._watch,
        )

    @property
    def paints_drawings(self) -> bool:
        return self._job.paints_drawings

    def progress(self) -> Progress:
        progress = self._job.progress()
        return replace(progress, message=self._waits_for) if progress.state is State.IDLE else progress

    def start(self, order: Order, *, may_download: bool = True) -> None:
        """`may_download`: CLIP, where it is nowhere on disk. Only what a user asked for may."""
        if not places.folders():
            raise ModelSearchError("this WebUI has no folder of models yet; put a model into models/Lora")
        self._may_download = may_download
        self._path.parent.mkdir(parents=True, exist_ok=True)
        places.refresh()
        self._job.start(_with_samples(order))
        if not order.quick:
            self._remember(order)

    def has_encoder(self) -> bool:
        """Whether the index's CLIP is on disk; opens it, or says in the tab and in the log that it is waited for."""
        try:
            self._open_encoder(self._encoder_source(), may_download=False)
        except MissingWeightsError as error:
            self._waits_for = f"names and previews of new models are read once “Index now” is pressed: {error}"
            log.warning("Model Search: %s", self._waits_for)
            return False
        return True

    def _encoder_source(self) -> str:
        """That of the index where there is one: another's features could not be compared with its own."""
        if not self._path.exists():
            return settings.text("encoder")
        with Catalog(self._path, read_only=True) as catalog:
            return _source_of(catalog)

    def pause(self) -> None:
        self._job.pause()

    def resume(self) -> None:
        self._job.resume()

    def cancel(self) -> None:
        self._job.cancel()

    def stop(self, seconds: float) -> None:
        self._stopping = True
        self._job.cancel()
        self._job.join(seconds)

    def ordered(self) -> Order | None:
        """What a restart interrupted."""
        try:
            known = json.loads(self._order_file.read_text("utf-8"))
            paths = [Path(path) for path in known["paths"]]
            return Order(paths=paths, samples=known["samples"], refresh=known["refresh"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("%s cannot be read; start the index again in the Model Search tab", self._order_file)
            return None

    def _remember(self, order: Order) -> None:
        known = {"paths": [str(path) for path in order.paths], "samples": order.samples, "refresh": order.refresh}
        self._order_file.write_text(json.dumps(known), encoding="utf-8")

    def _watch(self, progress: Progress) -> None:
        if not progress.state.active and not self._stopping:
            with suppress(OSError):
                self._order_file.unlink(missing_ok=True)
        if progress.state is State.FAILED:
            log.warning("Model Search: %s", progress.message)

    def _engine(self, catalog: Catalog, _: Order) -> Engine:
        source = _source_of(catalog)
        encoder = self._open_encoder(source, may_download=self._may_download)
        drawer = open_drawer(device="cpu", folders=places.weights_folders())
        return Engine(
            encoder=encoder,
            encoder_source=source,
            generator_for=lambda models: generator_for(models, catalog.models()),
            draw=drawer,
        )


def _source_of(catalog: Catalog) -> str:
    known = catalog.encoders()
    return known[0][1] if known else settings.text("encoder")


def generator_for(models: Sequence[ModelFile], files: Sequence[ModelFile] = ()) -> Generator:
    """The engine that the settings name. `files`: all that are known, copies too."""
    candidates = with_chosen_bases(models, read_bases(settings.text("bases")))
    chosen = GeneratorSettings(
        size=settings.number("size") // 64 * 64 or None,
        steps=settings.number("steps") or None,
        batch=settings.number("batch"),
        decoders=places.decoder_folders(),
    )
    if settings.value("engine") != settings.DIFFUSERS:
        return WebUIGenerator(candidates, chosen, pipeline.engine_name(), files)
    from modelsearch_core.generators.separate import SeparateGenerator  # brings torch along

    return SeparateGenerator(candidates, chosen, python_with_diffusers(places.catalog_path().with_name("diffusers")))


def _with_samples(order: Order) -> Order:
    chosen = settings.number("samples") or None
    return replace(order, samples=order.samples or chosen)


class IdleStarter:
    """Starts the index when the WebUI had nothing to do for a while, where the settings allow it."""

    def __init__(self, indexer: WebUIIndexer, wanted: Callable[[], bool]) -> None:
        self._indexer = indexer
        self._wanted = wanted
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modelsearch-idle", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Afterwards it starts nothing any more."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        idle_since = time.monotonic()
        while not self._end.wait(LOOK):
            now = time.monotonic()
            if queue.busy() or self._indexer.progress().state.active:
                idle_since = now
            elif settings.value("auto_index") and now - idle_since > 60 * settings.number("idle_minutes"):
                idle_since = now
                if self._wanted():
                    self._start()

    def _start(self) -> None:
        try:
            self._indexer.start(Order(), may_download=False)
        except ModelSearchError as error:
            log.warning("Model Search: %s", error)
