"""ONNX files through onnxruntime: what goes in, what comes out, and how that becomes one response an output."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ModelSearchError, UnreadableModelError
from ..model_files import Kind
from .configs import clean_labels, labels_by_number
from .files import Fit, Input, Layout
from .pictures import batch_of

Array = NDArray[np.floating[Any]]
SIDE = 224
DETECTOR_SIDE = 640
MASKS = 32  # coefficients of Ultralytics' segmenters, which follow the classes
NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The graph's first input and all outputs; None where a size is free."""

    name: str
    shape: tuple[int | None, ...]
    number: str
    outputs: tuple[tuple[str, tuple[int | None, ...]], ...]
    metadata: Mapping[str, str]

    @property
    def layout(self) -> Layout:
        return Layout.CHANNELS_LAST if self.shape[3] == 3 and self.shape[1] != 3 else Layout.CHANNELS_FIRST

    @property
    def size(self) -> tuple[int | None, int | None]:
        """(width, height) as far as they are fixed."""
        height, width = self.shape[1:3] if self.layout is Layout.CHANNELS_LAST else self.shape[2:4]
        return width, height


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What an ONNX file is. `labels` are those of its own metadata."""

    kind: Kind
    task: str
    labels: tuple[str, ...]
    size: tuple[int, int]  # (width, height)
    layout: Layout


def runtime() -> Any:
    """onnxruntime. ModelSearchError that says how to get it."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError as error:
        raise ModelSearchError(
            "ONNX files need onnxruntime; install it with `pip install onnxruntime` (or the extra `classifiers`)"
        ) from error
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime


def open_session(path: Path, device: str = "cpu") -> Any:
    """UnreadableModelError with the reason, without the path."""
    library = runtime()
    options = library.SessionOptions()
    options.log_severity_level = 3
    available: list[str] = library.get_available_providers()
    wanted = [] if device == "cpu" else ["CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider"]
    providers = [*(name for name in wanted if name in available), "CPUExecutionProvider"]
    try:
        return library.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime has no common base for what a broken file raises
        raise UnreadableModelError(
            f"onnxruntime cannot open it ({str(error).strip().splitlines()[0][:200]})"
        ) from error


def signature_of(session: Any) -> Signature:
    """UnreadableModelError where the graph takes no pictures."""
    inputs = session.get_inputs()
    shape = tuple(_fixed(size) for size in inputs[0].shape) if inputs else ()
    if len(inputs) != 1 or len(shape) != 4 or inputs[0].type not in NUMBERS:
        told = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)[:200]
        raise UnreadableModelError(f"an ONNX graph that does not take one batch of pictures ({told or 'no input'})")
    if 3 not in (shape[1], shape[3]) and None not in (shape[1], shape[3]):
        raise UnreadableModelError(f"an ONNX graph whose input {shape} has no three channels of colour")
    outputs = tuple((one.name, tuple(_fixed(size) for size in one.shape)) for one in session.get_outputs())
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return Signature(name=inputs[0].name, shape=shape, number=inputs[0].type, outputs=outputs, metadata=metadata)


def understood(signature: Signature) -> Understood:
    """UnreadableModelError for a graph whose outputs are neither classes nor boxes nor masks."""
    task = signature.metadata.get("task", "")
    ranks = [len(shape) for _, shape in signature.outputs]
    if not any(rank in (2, 3, 4) for rank in ranks) and not (ranks == [1]):
        raise UnreadableModelError(
            f"an ONNX graph whose outputs are no classes, boxes or masks ({signature.outputs})"[:300]
        )
    finds = task in ("detect", "segment", "pose", "obb") or (
        task != "classify" and any(rank in (3, 4) for rank in ranks)
    )
    width, height = signature.size
    side = _image_size(signature.metadata) or ((DETECTOR_SIDE if finds else SIDE),) * 2
    return Understood(
        kind=Kind.DETECTOR if finds else Kind.CLASSIFIER,
        task=task or ("segment" if finds and 3 not in ranks else "detect" if finds else "classify"),
        labels=labels_of(signature.metadata),
        size=(width or side[0], height or side[1]),
        layout=signature.layout,
    )


def labels_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Ultralytics' `names`, a dict written as Python writes it; others' lists with commas."""
    for key in ("names", "classes", "labels"):
        text = metadata.get(key, "")[:2_000_000]
        try:
            told: object = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            told = [part.strip() for part in text.split(",")] if text else None
        found = labels_by_number(told) if isinstance(told, dict) else ()
        if isinstance(told, (list, tuple)):
            found = clean_labels(list(told))  # pyright: ignore[reportUnknownArgumentType]
        if found:
            return found
    return ()


class OnnxClassifier:
    """An open session that answers for one input preparation after another."""

    def __init__(self, path: Path, labels: int, device: str = "cpu") -> None:
        """`labels`: how many classes the file names; 0 where it does not say."""
        self._session = open_session(path, device)
        self.signature = signature_of(self._session)
        self.understood = understood(self.signature)
        self._labels = labels or len(self.understood.labels)

    def respond(self, images: Sequence[Image.Image], wanted: Input) -> Array:
        """(n, L): a response of each output to each picture."""
        batch = batch_of(images, wanted).astype(NUMBERS[self.signature.number])
        fixed = self.signature.shape[0]
        step = fixed or len(batch)
        parts = [self._run(batch[start : start + step], step) for start in range(0, len(batch), step)]
        widest = max(part.shape[1] for part in parts)
        return np.concatenate([_widened(part, widest) for part in parts])

    def _run(self, batch: NDArray[Any], size: int) -> Array:
        padded = np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])
        outputs: list[NDArray[Any]] = self._session.run(None, {self.signature.name: padded})
        return self._responses(outputs)[: len(batch)].astype(np.float32)

    def _responses(self, outputs: Sequence[NDArray[Any]]) -> Array:
        if self.understood.kind is Kind.CLASSIFIER:
            first = next(output for output in outputs if output.ndim <= 2)
            return first.reshape(len(first), -1)
        return found_anywhere(outputs, self._labels)


def found_anywhere(outputs: Sequence[NDArray[Any]], labels: int) -> Array:
    """The largest confidence of each class over all boxes, before any is suppressed, or over all pixels: (n, L).

    Boxes: (n, 4+L[+32], A) and (n, A, 5+L) as YOLO has them, (n, K, 6) after suppression, or boxes and scores apart."""
    boxes = [output for output in outputs if output.ndim == 3]
    if not boxes:
        masks = next(output for output in outputs if output.ndim == 4)
        return _pixels(masks)
    if apart := _scores_apart(boxes):
        return apart()
    rows = boxes[0] if boxes[0].shape[1] > boxes[0].shape[2] or boxes[0].shape[2] == 6 else boxes[0].transpose(0, 2, 1)
    channels = rows.shape[2]
    if channels == 6 and labels not in (1, 2):
        return _after_suppression(rows, labels)
    masks = MASKS if any(output.ndim == 4 for output in outputs) else 0
    if channels - masks - 5 == labels or (not labels and boxes[0].shape[1] > boxes[0].shape[2]):
        return (rows[..., 4:5] * rows[..., 5 : channels - masks]).max(axis=1)
    classes = labels or channels - masks - 4
    return rows[..., 4 : 4 + classes].max(axis=1)


def _scores_apart(boxes: Sequence[NDArray[Any]]) -> Callable[[], Array] | None:
    """DETR and its like: (n, A, 4) beside (n, A, L)."""
    if len(boxes) < 2 or not any(output.shape[2] == 4 for output in boxes):
        return None
    scores = next((output for output in boxes if output.shape[2] != 4), boxes[1])
    return lambda: scores.max(axis=1)


def _after_suppression(rows: NDArray[Any], labels: int) -> Array:
    """(n, K, 6): corners, confidence, class. A class that was not found has confidence 0."""
    classes = rows[..., 5].astype(int)
    found = np.zeros((len(rows), labels or int(classes.max(initial=0)) + 1), np.float32)
    for n, k in np.ndindex(rows.shape[:2]):
        if 0 <= classes[n, k] < found.shape[1]:
            found[n, classes[n, k]] = max(found[n, classes[n, k]], rows[n, k, 4])
    return found


def _pixels(masks: NDArray[Any]) -> Array:
    """(n, C, h, w) or (n, h, w, C): the largest response over all pixels."""
    last = masks.shape[3] < min(masks.shape[1:3])
    return masks.max(axis=(1, 2)) if last else masks.max(axis=(2, 3))


def _widened(part: Array, width: int) -> Array:
    return np.pad(part, ((0, 0), (0, width - part.shape[1])))


def _fixed(size: object) -> int | None:
    return size if isinstance(size, int) and size > 0 else None


def _image_size(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """Ultralytics' `imgsz`: [height, width]."""
    try:
        told: Any = ast.literal_eval(metadata.get("imgsz", ""))
        height, width = (told, told) if isinstance(told, int) else told
        return int(width), int(height)
    except (ValueError, SyntaxError, TypeError):
        return None


def guesses(found: Understood) -> list[Input]:
    """Ways in which pictures may go in where nothing says it, the likeliest first."""
    plain = Input(width=found.size[0], height=found.size[1], layout=found.layout)
    if found.kind is Kind.DETECTOR:
        return [plain.but(fit=Fit.PAD, fill=114), plain.but(fit=Fit.PAD, fill=114, scale=1.0)]
    imagenet = plain.but(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    signed = plain.but(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    raw, caffe = plain.but(scale=1.0), plain.but(scale=1.0, bgr=True, mean=(104.0, 117.0, 123.0))
    if found.layout is Layout.CHANNELS_LAST:  # from TensorFlow or Caffe
        return [caffe, signed, plain, raw, imagenet]
    return [imagenet, signed, plain, raw, caffe]
