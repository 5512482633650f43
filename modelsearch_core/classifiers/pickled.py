"""Detectors of Ultralytics as `.pt`: whole pickled modules, of which only the class names are read, and nothing run.

`pickletools` takes a pickle apart into opcodes and executes none. Looked for is what stands behind the text `names`: a
dict of numbers and texts, or a list of texts.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import UnreadableModelError
from ..model_files import Kind
from ..model_files.annotations import clean_title
from ..model_files.fingerprint import file_fingerprint
from ..model_files.opening import open_regular
from .configs import LARGEST_SIDE, clean_labels, detector_input, labels_by_number
from .files import ClassifierFile, Form, Input
from .onnx_files import DETECTOR_SIDE
from .onnx_files import SIDE as CLASSIFIER_SIDE

LARGEST_PICKLE = 2**26  # bytes
MOST_OPCODES = 3_000_000
MOST_NAMES = 20_000
TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")
NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "INT", "LONG")
PUTS, GETS = ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"), ("BINGET", "LONG_BINGET", "GET")
TRAINED_FOR = ("classify", "detect", "segment", "pose", "obb")
Step = tuple[str, Any]  # opcode's name; its argument, or the text that a memo holds


def read_pickled(path: Path, stamp: str) -> ClassifierFile:
    """UnreadableModelError where it holds no class names; OSError."""
    try:
        steps = list(_steps(_pickle_of(path)))
    except (zipfile.BadZipFile, ValueError, IndexError, EOFError, RuntimeError, NotImplementedError) as error:
        raise UnreadableModelError(f"not a module that PyTorch saved ({str(error)[:200]})") from error
    labels = next((found for n, step in enumerate(steps) if step[1] == "names" and (found := _names(steps, n + 1))), ())
    if not labels:
        raise UnreadableModelError("a pickled module without class names; export it to ONNX to probe it")
    task = next((steps[n + 1][1] for n, step in enumerate(steps[:-1]) if step[1] == "task"), "")
    task = task if task in TRAINED_FOR else ""
    side = _number_after(steps, "imgsz") or (CLASSIFIER_SIDE if task == "classify" else DETECTOR_SIDE)
    with open_regular(path) as file:
        fingerprint = file_fingerprint(file)
    return ClassifierFile(
        path=path,
        kind=Kind.CLASSIFIER if task == "classify" else Kind.DETECTOR,
        form=Form.PYTORCH,
        fingerprint=fingerprint,
        size=path.stat().st_size,
        stamp=stamp,
        title=clean_title(path.stem),
        labels=labels,
        task=task,
        input=Input(width=side, height=side) if task == "classify" else detector_input(side, side),
    )


def _number_after(steps: list[Step], key: str) -> int | None:
    """What a dict keeps under a text, where it is a size of pictures."""
    found = (steps[n + 1] for n, step in enumerate(steps[:-1]) if step[1] == key)
    sizes = (int(value) for kind, value in found if kind in NUMBERS)
    return next((size for size in sizes if 0 < size <= LARGEST_SIDE), None)


def _pickle_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = next(
            (name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1), None
        )
        if inside is None:
            raise ValueError("its archive has no data.pkl")
        with archive.open(inside) as file:
            content = file.read(LARGEST_PICKLE + 1)
    if len(content) > LARGEST_PICKLE:
        raise ValueError(f"its pickle has more than {LARGEST_PICKLE} bytes")
    return content


def _steps(content: bytes) -> Iterator[Step]:
    """Opcodes without those that keep a thing for later; where a kept text is taken out, the text."""
    memo: dict[int, Any] = {}
    last: Any = None
    for opcode, argument, _ in islice(pickletools.genops(content), MOST_OPCODES):
        name = opcode.name
        if name in PUTS:
            memo[len(memo) if argument is None else int(argument)] = last
            continue
        last = memo.get(int(argument)) if name in GETS and argument is not None else argument if name in TEXTS else None
        yield ("TEXT", last) if last is not None else (name, argument)


def _names(steps: list[Step], start: int) -> tuple[str, ...]:
    """The dict or list that begins at a step; nothing where another thing does."""
    if start >= len(steps) or steps[start][0] not in ("EMPTY_DICT", "EMPTY_LIST"):
        return ()
    inside = [step for step in steps[start + 1 : start + 2 * MOST_NAMES] if step[0] != "MARK"]
    if steps[start][0] == "EMPTY_LIST":
        count = next((n for n, step in enumerate(inside) if step[0] != "TEXT"), len(inside))
        return clean_labels([text for _, text in inside[:count]])
    found: dict[int, str] = {}
    for (kind, number), (other, text) in zip(inside[::2], inside[1::2], strict=False):
        if kind not in NUMBERS or other != "TEXT":
            break
        found[int(number)] = text
    return labels_by_number(found)
