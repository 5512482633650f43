"""A classifier, opened to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UnreadableModelError
from .files import ClassifierFile, Form, Input
from .folders import FolderClassifier
from .onnx_files import OnnxClassifier, guesses
from .ultralytics_files import LoadTrusted, PickledDetector


class Responding(Protocol):
    def respond(self, images: Sequence[Image.Image], wanted: Input) -> NDArray[np.floating[Any]]:
        """(n, L): a response of each output to each picture."""
        ...


def open_classifier(file: ClassifierFile, device: str = "auto", trusted: LoadTrusted | None = None) -> Responding:
    """`trusted` loads pickled modules, where a host lends that. UnreadableModelError for one that cannot be asked."""
    if file.form is Form.PYTORCH and trusted is not None:
        return PickledDetector(file, trusted, device)
    if file.form is Form.PYTORCH:
        raise UnreadableModelError(
            "a pickled module is never run here; export it to ONNX (`yolo export model=FILE format=onnx`) to probe it"
        )
    if file.form is Form.ONNX:
        return OnnxClassifier(file.path, len(file.labels), device)
    return FolderClassifier(file, device)


def ways_in(file: ClassifierFile, opened: Responding) -> list[Input]:
    """How pictures may go in: one way where it is told, else all that are usual."""
    if file.input is not None:
        return [file.input]
    return guesses(opened.understood) if isinstance(opened, OnnxClassifier) else [Input()]
