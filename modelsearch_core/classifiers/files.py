"""What is known of a classifier before it has seen a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from ..model_files import Kind, SkippedFile


class Form(str, Enum):
    """How a classifier is kept on disk, which says what opens it."""

    ONNX = "onnx"
    TIMM = "timm"  # a folder with timm's config.json
    TRANSFORMERS = "transformers"  # a folder of an image classification model
    PYTORCH = "pytorch"  # a pickled module (Ultralytics): only its class names are read


class Layout(str, Enum):
    CHANNELS_FIRST = "channels_first"
    CHANNELS_LAST = "channels_last"


class Fit(str, Enum):
    """How a picture becomes a square."""

    CROP = "crop"  # the short side to size, the centre cut out
    SQUASH = "squash"
    PAD = "pad"  # the whole picture, the rest filled


@dataclass(frozen=True, kw_only=True)
class Input:
    """How pictures go in: value · scale, less `mean`, divided by `std`, in the channels' order."""

    width: int = 224
    height: int = 224
    layout: Layout = Layout.CHANNELS_FIRST
    bgr: bool = False
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    fit: Fit = Fit.CROP
    crop: float = 1.0  # share of the resized picture that is cut out
    fill: int = 255  # of `PAD`

    def but(self, **changes: Any) -> Input:
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class ClassifierFile:
    """A classifier, tagger, rater, detector or segmenter on disk.

    `path` is a file, or the folder of a timm or transformers model. `labels` are what the file itself calls its outputs
    (empty: it does not say). `input` is None where nothing tells how pictures go in.
    """

    path: Path
    kind: Kind
    form: Form
    fingerprint: str
    size: int  # bytes
    stamp: str
    title: str
    labels: tuple[str, ...] = ()
    task: str = ""  # classify, detect, segment, ..., where the file says so
    input: Input | None = None

    @property
    def readable(self) -> bool:
        """Whether it can be asked without running what it holds; a pickled module cannot."""
        return self.form is not Form.PYTORCH


def to_json(file: ClassifierFile | SkippedFile) -> str:
    return json.dumps(asdict(file), default=str, ensure_ascii=False)


def from_json(text: str) -> ClassifierFile | SkippedFile:
    values: dict[str, Any] = json.loads(text)
    values["path"] = Path(values["path"])
    if "reason" in values:
        return SkippedFile(**values)
    seen = values.pop("input")
    values |= {"kind": Kind(values["kind"]), "form": Form(values["form"]), "labels": tuple(values["labels"])}
    return ClassifierFile(**values, input=_input(seen) if seen else None)


def _input(values: dict[str, Any]) -> Input:
    three: dict[str, Any] = {key: tuple(values[key]) for key in ("mean", "std")}
    kinds: dict[str, Any] = {"layout": Layout(values["layout"]), "fit": Fit(values["fit"])}
    return Input(**{**values, **three, **kinds})
