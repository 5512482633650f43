"""ADetailer's drop-downs, where that extension is installed: the panel chooses a detector in the first of each tab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from modules import paths, shared

from modelsearch_core.errors import ModelSearchError

TABS = ("txt2img", "img2img")
PICKLES = (".pt", ".pth")
_drop_downs: dict[str, Any] = {}  # by tab


def catch_drop_downs(component: Any) -> None:
    for tab in TABS:
        if getattr(component, "elem_id", None) == f"script_{tab}_adetailer_ad_model":
            _drop_downs[tab] = component


def drop_downs() -> list[Any]:
    return list(_drop_downs.values())


def choose(request: Mapping[str, Any]) -> dict[str, Any]:
    """Which detector is to be `chosen` in which tab. ModelSearchError where that tab's drop-down does not list it.

    request: tab, name.
    """
    tab, name = request["tab"], request["name"]
    if tab not in _drop_downs:
        raise ModelSearchError(f"this WebUI shows no ADetailer in {tab}; install that extension, or copy the name")
    listed = [choice[-1] if isinstance(choice, (list, tuple)) else choice for choice in _drop_downs[tab].choices]
    if name not in listed:
        raise ModelSearchError(f"ADetailer does not list {name!r} yet: it looks for detectors when the WebUI starts")
    return {"done": "chosen", "tab": tab, "chosen": name}


def updates(told: Mapping[str, Any]) -> list[Any]:
    """What happens to each of `drop_downs` by an answer: nothing, or what `choose` found."""
    return [
        gr.update(value=told["chosen"]) if told.get("tab") == tab and "chosen" in told else gr.update()
        for tab in _drop_downs
    ]


def folders() -> list[Path]:
    """Where it looks for detectors."""
    more = str(getattr(shared.opts, "data", {}).get("ad_extra_models_dir") or "").split("|")
    return [Path(paths.models_path, "adetailer"), *(Path(place.strip()) for place in more if place.strip())]


def name_of(path: Path) -> str | None:
    """What its drop-down calls a detector: the name of a `.pt`, so of the one that an ONNX export lies beside."""
    if not any(folder.absolute() in path.parents for folder in folders()):
        return None
    found = (each for each in (path, *map(path.with_suffix, PICKLES)) if each.suffix in PICKLES)
    return next((each.name for each in found if each.is_file()), None)
