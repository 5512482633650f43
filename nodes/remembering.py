"""What a restart must not end: the order in progress, and the model that ComfyUI may have died of."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.model_files import Kind
from ..modelsearch_core.panel import Order
from . import places, renewing, settings

DEADLY = 2  # times that ComfyUI ended in the middle of a model, before it counts as failed


def keep(order: Order) -> None:
    kept = json.dumps({**asdict(order), "paths": [str(path) for path in order.paths]})
    settings.save(replace(settings.load(), wanted=kept, style=order.style))


def forget_order() -> None:
    settings.save(replace(settings.load(), wanted=""))


def kept() -> Order | None:
    """The order of a run that a restart has cut short."""
    found: dict[str, Any] | None = json.loads(settings.load().wanted or "null")
    if not found:
        return None
    found["paths"] = [Path(path) for path in found["paths"]]
    return Order(**found)


def mark(fingerprint: str) -> None:
    """The model in progress; nothing when there is none."""
    chosen = settings.load()
    deaths = chosen.deaths if chosen.current == fingerprint else 0
    settings.save(replace(chosen, current=fingerprint, deaths=deaths))


def blame_the_last() -> None:
    """A model that was in progress when ComfyUI ended, for the second time, has failed."""
    chosen = settings.load()
    if not chosen.current:
        return
    deaths = chosen.deaths + 1
    if deaths >= DEADLY:
        with Catalog(places.catalog_path()) as catalog:
            catalog.put_failure(chosen.current, f"ComfyUI ended {deaths} times while it was generated from")
    settings.save(replace(chosen, deaths=deaths, current="" if deaths >= DEADLY else chosen.current))


def has_new() -> bool:
    """Whether a model was never generated from nor failed, or there is a file that the catalog does not know."""
    if renewing.has_unknown():
        return True
    with Catalog(places.catalog_path(), read_only=True) as catalog:
        keys = [key for name, _, _ in catalog.encoders() for key in catalog.specification_keys(name)]
        settled = {key[0] for key in keys if key[2].value == "generated"} | catalog.failures().keys()
        models = [model for model in catalog.models() if model.kind is not Kind.PICTURES]
        return any(model.fingerprint not in settled for model in models)
