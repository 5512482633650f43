"""Where this ComfyUI keeps detectors and taggers, and what other packs' nodes call them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import folder_paths


class Place(NamedTuple):
    """A key of ComfyUI's folders, where they lie if no pack has told it, and how names in a pack's list begin."""

    key: str
    folder: str
    prefix: str = ""


PLACES = {
    "detector": (
        Place("ultralytics_bbox", "ultralytics/bbox", "bbox/"),
        Place("ultralytics_segm", "ultralytics/segm", "segm/"),
        Place("onnx", "onnx"),
        Place("adetailer", "adetailer"),
    ),
    "classifier": tuple(Place(name, name) for name in ("wd14_tagger", "tagger", "nsfw", "aesthetic", "classifiers")),
}
PACKS = {
    "classifier": ("ComfyUI-WD14-Tagger/models", "comfyui-wd14-tagger/models")
}  # that keep files in their own folder


def roots(kind: str) -> dict[Path, str]:
    """The folders that are there, with what a name in them begins with."""
    found = [(root, place.prefix) for place in PLACES[kind] for root in _folders(place)]
    found += [(str(Path(nodes, pack)), "") for nodes in _custom_nodes() for pack in PACKS.get(kind, ())]
    absolute = ((Path(os.path.abspath(root)), prefix) for root, prefix in found)  # noqa: PTH100
    return {root: prefix for root, prefix in absolute if root.is_dir()}


def name_of(path: Path, kind: str) -> str | None:
    """As UltralyticsDetectorProvider, ONNXDetectorProvider and taggers list it; None outside of their folders."""
    for root, prefix in roots(kind).items():
        if root in path.parents:
            return prefix + str(path.relative_to(root))
    return None


def loader_of_detectors() -> Callable[[Path], Any] | None:
    """The Impact Subpack's own, where it is installed: it lets pickles name nothing but layers. Whoever has it loads
    these files with it anyway."""
    for module in list(sys.modules.values()):
        load = module.__dict__.get("load_yolo") if getattr(module, "__name__", "").endswith(".subcore") else None
        if callable(load):
            return lambda path: load(str(path))
    return None


def _custom_nodes() -> list[str]:
    try:
        return list(folder_paths.get_folder_paths("custom_nodes"))
    except KeyError:
        return []


def _folders(place: Place) -> list[str]:
    try:
        return list(folder_paths.get_folder_paths(place.key))
    except KeyError:
        models = getattr(folder_paths, "models_dir", None)
        return [str(Path(models) / place.folder)] if models else []
