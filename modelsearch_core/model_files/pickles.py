"""Shapes in PyTorch's own files (.ckpt, .pt, .pth, .bin), which are pickles: a pickle may run any code.

So they are opened with `torch.load(weights_only=True)` and nothing else, mapped instead of read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import UnreadableModelError
from .packed import Shapes

LARGEST_UNMAPPED = 2**30  # bytes; files of before PyTorch 1.6 cannot be mapped and are read as a whole
DEEPEST = 3  # {"state_dict": {...}}, {"model": {"ema": {...}}}


def pickle_shapes(path: Path) -> Shapes:
    """Names and shapes of the tensors in a PyTorch file. Raises UnreadableModelError with the reason."""
    mapped = zipfile.is_zipfile(path)
    if not mapped and path.stat().st_size > LARGEST_UNMAPPED:
        raise UnreadableModelError(
            f"not a PyTorch file, or one of before 2020 beyond {LARGEST_UNMAPPED} bytes; convert it to safetensors"
        )
    return dict(_tensors(_load(path, mapped), ""))


def _load(path: Path, mapped: bool) -> object:
    import torch

    try:
        return torch.load(path, map_location="meta", weights_only=True, mmap=mapped or None)
    except MemoryError:
        raise
    except Exception as error:  # torch names no common base of what its unpickler may raise
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UnreadableModelError(
            f"not opened, because torch.load(weights_only=True) refuses it ({reason}); "
            "if you trust its author, convert it to safetensors, otherwise delete it"
        ) from error


def _tensors(value: object, prefix: str, depth: int = 0) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of a state dict, wherever it is; `state_dict.` and the like are no part of a name."""
    if isinstance(value, (list, tuple)) and depth <= DEEPEST:
        for number, entry in enumerate(cast("list[Any]", value)):
            yield from _tensors(entry, f"{prefix}{number}.", depth + 1)
    if not isinstance(value, Mapping):
        return
    for key, entry in cast("Mapping[Any, Any]", value).items():
        if hasattr(entry, "shape") and hasattr(entry, "dtype"):
            yield f"{prefix}{key}", tuple(int(size) for size in entry.shape)
        elif depth < DEEPEST:
            yield from _tensors(entry, "" if key in ("state_dict", "model", "params_ema") else f"{key}.", depth + 1)
