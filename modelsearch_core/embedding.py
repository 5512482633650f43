"""Features of pictures and texts: what an encoder gives, and the interface that an encoder has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Features = NDArray[np.floating]  # (n, D), rows of unit length


class ImageEncoder(Protocol):
    """Pictures into a space. `name` tells model and weights apart and is part of every key."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """(n, D) float32, unit rows."""
        ...


class Encoder(ImageEncoder, Protocol):
    """Pictures and texts into one space."""

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """(n, D) float32, unit rows."""
        ...


def unit(rows: NDArray[np.floating], axis: int = -1) -> NDArray[np.floating]:
    """Rows scaled to unit length; a zero row stays zero."""
    length = np.linalg.norm(rows, axis=axis, keepdims=True)
    return rows / np.where(length > 0, length, 1)
