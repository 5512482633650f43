"""Arrays by name in one blob: safetensors, which is read as fast as memory is copied.

Before, it was numpy's archive, whose every array is read through a ZIP file and checked; such a blob is read still.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

ARCHIVE = b"PK"  # how a ZIP file begins


def to_blob(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Numbers and booleans; bytes for what else there is."""
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def from_blob(blob: bytes) -> dict[str, NDArray[Any]]:
    """Read-only."""
    if not blob.startswith(ARCHIVE):
        return load(blob)
    with np.load(io.BytesIO(blob)) as file:
        return {name: file[name] for name in file.files}
