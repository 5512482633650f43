"""What lies beside a classifier and says how pictures go in and what comes out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ..errors import UnreadableModelError
from ..model_files.annotations import clean_text
from ..model_files.opening import read_bounded
from .files import Fit, Input, Layout

LARGEST = 16 * 2**20  # bytes
LARGEST_SIDE = 8192  # pixels that a classifier may ask for
TAGS = "selected_tags.csv"  # of WD14 and its like
LABEL_LISTS = ("labels.txt", "classes.txt", "tags.txt")
MOST_LABELS = 200_000
LONGEST_LABEL = 200
_NUMBERED = re.compile(r"(label|class|output)?[_ ]?\d+", re.IGNORECASE)

Config = Mapping[str, Any]


def read_config(path: Path) -> Config:
    """A JSON object; empty where there is none that can be read."""
    try:
        found: object = json.loads(read_bounded(path, LARGEST).decode("utf-8"))
    except (UnreadableModelError, OSError, ValueError, RecursionError):
        return {}
    return cast("Config", found) if isinstance(found, dict) else {}


def is_timm(config: Config) -> bool:
    return isinstance(config.get("architecture"), str) and isinstance(config.get("pretrained_cfg"), Mapping)


def is_transformers(config: Config) -> bool:
    """An image classification model of transformers."""
    names = config.get("architectures")
    listed = cast("list[Any]", names) if isinstance(names, list) else []
    return any(isinstance(name, str) and name.endswith("ForImageClassification") for name in listed)


def labels_beside(folder: Path, stem: str, config: Config) -> tuple[str, ...]:
    """What the outputs are called, in their order; empty where nothing says."""
    if tags := tags_beside(folder, stem):
        return tags
    if told := labels_of(config):
        return told
    for path in (*(folder / f"{stem}{ending}" for ending in (".txt", ".names")), *(folder / n for n in LABEL_LISTS)):
        if path.is_file():
            lines = _text(path).splitlines()
            return clean_labels([line for line in lines if line.strip()])
    return ()


def tags_beside(folder: Path, stem: str) -> tuple[str, ...]:
    """Of a tagger: in `selected_tags.csv`, or in a table with the model's own name, as ComfyUI's pack keeps it."""
    for path in (folder / f"{stem}.csv", folder / TAGS):
        if path.is_file() and (tags := _tags(path)):
            return tags
    return ()


def labels_of(config: Config) -> tuple[str, ...]:
    """From timm's `label_names` or transformers' `id2label`."""
    trained = config.get("pretrained_cfg")
    inside: Any = trained.get("label_names") if isinstance(trained, Mapping) else None
    given = config.get("label_names") or inside
    if isinstance(given, list):
        described: Any = config.get("label_descriptions") or {}
        names = cast("list[Any]", given)
        return clean_labels([described.get(name, name) if isinstance(described, dict) else name for name in names])
    return labels_by_number(config.get("id2label"))


def labels_by_number(table: object) -> tuple[str, ...]:
    """{"0": "cat", ...} or {0: "cat", ...}; empty if a number is missing."""
    if not isinstance(table, Mapping):
        return ()
    try:
        by_number = {int(key): value for key, value in cast("Mapping[Any, Any]", table).items()}
    except (TypeError, ValueError):
        return ()
    if not by_number or len(by_number) > MOST_LABELS or set(by_number) != set(range(len(by_number))):
        return ()
    return clean_labels([by_number[number] for number in range(len(by_number))])


def clean_labels(names: Sequence[object]) -> tuple[str, ...]:
    """Plain words; nothing where they are but numbers (`LABEL_3`)."""
    if len(names) > MOST_LABELS:
        return ()
    labels = tuple(clean_text(name if isinstance(name, str) else str(name), LONGEST_LABEL) for name in names)
    return () if all(_NUMBERED.fullmatch(label) for label in labels) else labels


def timm_input(config: Config) -> Input:
    """From timm's `pretrained_cfg`."""
    told: Config = config["pretrained_cfg"]
    _, height, width = cast("list[int]", told.get("input_size") or [3, 224, 224])
    return Input(
        width=int(width),
        height=int(height),
        mean=_three(told.get("mean"), 0.0),
        std=_three(told.get("std"), 1.0),
        fit=Fit.SQUASH if told.get("crop_mode") == "squash" else Fit.CROP,
        crop=float(told.get("crop_pct") or 1.0),
    )


def transformers_input(config: Config, preparation: Config) -> Input | None:
    """From `preprocessor_config.json`; None where there is none."""
    if not preparation:
        return None
    side = _side(preparation.get("crop_size")) or _side(preparation.get("size")) or _side(config.get("image_size"))
    width, height = side or (224, 224)
    cut = preparation.get("do_center_crop") is True
    resized = _side(preparation.get("size"))
    normalised = preparation.get("do_normalize") is not False
    return Input(
        width=width,
        height=height,
        scale=float(preparation.get("rescale_factor") or 1 / 255)
        if preparation.get("do_rescale") is not False
        else 1.0,
        mean=_three(preparation.get("image_mean"), 0.5) if normalised else (0.0, 0.0, 0.0),
        std=_three(preparation.get("image_std"), 0.5) if normalised else (1.0, 1.0, 1.0),
        fit=Fit.CROP if cut else Fit.SQUASH,
        crop=min(1.0, height / min(resized)) if cut and resized else 1.0,
    )


def tagger_input(width: int, height: int, layout: Layout) -> Input:
    """WD14's: padded with white, BGR from 0 to 255."""
    return Input(width=width, height=height, layout=layout, bgr=True, scale=1.0, fit=Fit.PAD)


def detector_input(width: int, height: int) -> Input:
    """Ultralytics': letterboxed in grey, RGB from 0 to 1."""
    return Input(width=width, height=height, fit=Fit.PAD, fill=114)


def _tags(path: Path) -> tuple[str, ...]:
    names = [row.get("name") for row in csv.DictReader(io.StringIO(_text(path), newline=""))]
    if not names or None in names:
        return ()
    return clean_labels([name.replace("_", " ") if name and len(name) > 3 else name for name in names])


def _text(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        return read_bounded(path, LARGEST).decode("utf-8", errors="replace")
    except (UnreadableModelError, OSError):
        return ""


def _three(values: object, otherwise: float) -> tuple[float, ...]:
    if isinstance(values, (list, tuple)) and len(cast("list[Any]", values)) == 3:
        return tuple(float(value) for value in cast("list[float]", values))
    return (otherwise,) * 3


def _side(size: object) -> tuple[int, int] | None:
    """(width, height) of what processors write: a number, or an object of height and width or of the shortest edge.
    None for what is neither, or no size of pictures."""
    told = cast("Mapping[str, Any]", size) if isinstance(size, Mapping) else {"shortest_edge": size}
    short = told.get("shortest_edge")
    width, height = told.get("width", short), told.get("height", short)
    sides = [side for side in (width, height) if isinstance(side, int) and 0 < side <= LARGEST_SIDE]
    return (sides[0], sides[1]) if len(sides) == 2 else None
