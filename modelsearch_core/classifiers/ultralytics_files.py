"""Ultralytics' `.pt` through a host that has `ultralytics` and trusts the file: reading a pickle may run any code.

Nothing here is used unless a host lends a loader, or the user of the command line says `--trust-pickled`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ModelSearchError, UnreadableModelError
from .files import ClassifierFile, Input
from .onnx_files import MASKS, found_anywhere
from .pictures import batch_of

LoadTrusted = Callable[[Path], Any]  # to ultralytics' YOLO; called with files that are trusted


def load_trusted(path: Path) -> Any:
    """By `ultralytics` itself. ModelSearchError that says how to get it."""
    try:
        from ultralytics import YOLO  # pyright: ignore[reportMissingImports]  # the user's own
    except ImportError as error:
        raise ModelSearchError(
            f"ultralytics cannot be imported ({error}); install it with `pip install ultralytics`, or export the file "
            "to ONNX where it is (`yolo export model=FILE format=onnx`)"
        ) from error
    return YOLO(str(path))


class PickledDetector:
    """A network in evaluation mode, asked as its ONNX export would be."""

    def __init__(self, file: ClassifierFile, load: LoadTrusted, device: str = "auto") -> None:
        """UnreadableModelError where the loader refuses the file."""
        from ..encoders.device import best_device  # brings torch along

        self._task, self._labels, self._device = file.task, len(file.labels), best_device(device)
        try:
            self._network: Any = load(file.path).model.float().eval().to(self._device)
        except ModelSearchError:
            raise
        except Exception as error:  # whatever a pickle, or a loader that restricts it, raises
            raise UnreadableModelError(
                f"ultralytics cannot load it ({type(error).__name__}: {str(error).strip()[:200]})"
            ) from error

    def respond(self, images: Sequence[Image.Image], wanted: Input) -> NDArray[np.floating[Any]]:
        """(n, L): a response of each output to each picture."""
        import torch

        with torch.inference_mode():
            answer = self._network(torch.from_numpy(batch_of(images, wanted)).to(self._device))
        found = _first_tensor(answer).float().cpu().numpy()
        if found.ndim == 2:
            return found
        masks = [np.empty((len(images), MASKS, 1, 1), np.float32)] if self._task == "segment" else []
        return found_anywhere([found, *masks], self._labels)


def _first_tensor(answer: Any) -> Any:
    """Heads answer with their boxes first, then with what they were trained by."""
    while isinstance(answer, (tuple, list)):
        answer = answer[0]  # pyright: ignore[reportUnknownVariableType]  # ultralytics has no types
    return answer
