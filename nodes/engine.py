"""What generates, draws and encodes for the index here; kept between two prompts of ours, released when they end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import comfy.model_management as memory
from comfy.utils import ProgressBar

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.encoders import DEFAULT_ENCODER, open_drawer, open_encoder
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.generators import GeneratorSettings
from ..modelsearch_core.indexing import (
    Engine,
    IndexSettings,
    Report,
    Step,
    generate_all,
    index,
    outstanding,
    paint_references,
    unpainted,
)
from ..modelsearch_core.indexing.style_vectors import encode_renderings
from ..modelsearch_core.model_files import ModelFile
from ..modelsearch_core.panel.job import tell_of_training
from ..modelsearch_core.search.preparing import prepare
from . import places
from .drawings import references
from .encoder import ManagedEncoder
from .generator import ComfyGenerator
from .painting import CancelledIndexing, InterruptedIndexing, stop_if_cancelled
from .settings import Settings, load

Watch = Callable[[int], None]  # hears how many pictures are new; may raise InterruptedIndexing

_lock = threading.RLock()
_kept: dict[str, Any] = {}


def source_of(catalog: Catalog) -> str:
    """The encoder of an existing catalog, else the usual one."""
    known = catalog.encoders()
    return known[0][1] if known else DEFAULT_ENCODER


def engine_of(catalog: Catalog, chosen: Settings, check: Callable[[], None], *, style: bool = False) -> Engine:
    """For ComfyUI's worker: everything in its memory management. `check` is called at every step; `style` has LoRA
    paint drawings too."""
    drawings = references() if style else None

    def generator_for(models: Sequence[ModelFile]) -> ComfyGenerator:
        found = generator(models, chosen)
        found.check, found.references = check, drawings
        return found

    source = source_of(catalog)
    device = str(memory.get_torch_device())
    return Engine(
        encoder=_once(f"encoder {source}", lambda: _managed(source)),
        encoder_source=source,
        generator_for=generator_for,
        draw=_once("draw", lambda: open_drawer("auto", device=device, folders=places.weights_folders())),
        references=drawings,
    )


def generator(models: Sequence[ModelFile], chosen: Settings) -> ComfyGenerator:
    """The one of the last call, while models and settings are the same: its base model may still be loaded."""
    wanted = GeneratorSettings(size=chosen.size or None, steps=chosen.steps or None)
    with _lock:
        old = _kept.get("generator")
        if old is None or old.settings != wanted or list(old.candidates) != list(models):
            _kept["generator"] = ComfyGenerator(models, wanted)
        return _kept["generator"]


def release() -> None:
    """Forgets what is loaded; ComfyUI's worker frees the memory."""
    with _lock:
        _kept.clear()


def forget() -> None:
    """The drawings too, at the end of all work."""
    release()
    references.cache_clear()


def models_to_do(
    catalog: Catalog, encoder: Any, chosen: Settings, settings: IndexSettings, *, retry: bool
) -> list[ModelFile]:
    """In the order in which bases need to be loaded once only."""
    return outstanding(catalog, encoder, generator(catalog.models(), chosen), settings, retry=retry)


def models_to_paint(
    catalog: Catalog, encoder: Any, chosen: Settings, settings: IndexSettings, *, retry: bool
) -> tuple[list[ModelFile], dict[ModelFile, str]]:
    """LoRA that have not filled out the drawings yet, in that order, those that failed only to `retry`; and why others
    cannot."""
    asking = generator(catalog.models(), chosen)
    asking.references = references()
    found, prompts_only = unpainted(catalog, encoder, asking, references(), refresh=settings.refresh)
    failed = {} if retry else catalog.failures()
    return [model for model in found if model.fingerprint not in failed], prompts_only


def index_one(fingerprint: str, chosen: Settings, settings: IndexSettings, watch: Watch, *, style: bool = False) -> str:
    """done, failed, yielded (`watch` raised) or cancelled; in ComfyUI's worker, so that nothing else uses the card.
    With `style` it fills out the drawings, else it answers the prompts."""

    def check(images: int = 0) -> None:
        stop_if_cancelled()
        watch(images)

    report = Report()
    with Catalog(places.catalog_path()) as catalog:
        models = [model for model in catalog.models() if model.fingerprint == fingerprint][:1]
        engine = engine_of(catalog, chosen, check, style=style)
        work = paint_references if style else generate_all
        try:
            work(catalog, models, engine, settings, report, lambda step: check(step.images))
            if style:
                encode_renderings(catalog, engine.encoder.name, str(memory.get_torch_device()))
        except CancelledIndexing:
            return "cancelled"
        except InterruptedIndexing:
            return "yielded"
    return "failed" if report.failed else "done"


def index_all(wanted: IndexSettings, *, style: bool = False) -> Report | None:
    """All folders, at once, with ComfyUI's own progress bar; None where the user has cancelled."""
    folders = list(places.model_folders())
    if not folders:
        raise ModelSearchError("ComfyUI has no folder with models yet.")
    bar = ProgressBar(1)
    report: Report | None = None

    def progress(step: Step) -> None:
        stop_if_cancelled()
        if step.total and not step.images:
            bar_at(bar, step.done, step.total)

    with Catalog(places.catalog_path()) as catalog:
        try:
            engine = engine_of(catalog, load(), stop_if_cancelled, style=style)
            report = index(catalog, folders, engine, wanted, progress)
            encode_renderings(catalog, engine.encoder.name, str(memory.get_torch_device()))
            if report.rendered:
                tell_of_training(catalog, engine.encoder.name)
            prepare(catalog)
        except CancelledIndexing:
            report = None
    forget()
    return report


def bar_at(bar: ProgressBar, done: int, total: int) -> None:
    """The bar itself looks for Cancel too."""
    try:
        bar.update_absolute(done, total)
    except memory.InterruptProcessingException as error:
        raise CancelledIndexing from error


def _managed(source: str) -> ManagedEncoder:
    return ManagedEncoder(open_encoder(source, device="cpu", folders=places.weights_folders(), may_download=True))


def _once(name: str, make: Callable[[], Any]) -> Any:
    with _lock:
        if name not in _kept:
            _kept[name] = make()
        return _kept[name]
