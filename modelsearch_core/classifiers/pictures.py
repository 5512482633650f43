"""Pictures as a classifier sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..encoders.preparation import rgb
from .files import Fit, Input, Layout

SMOOTH = Image.Resampling.BICUBIC


def batch_of(images: Sequence[Image.Image], wanted: Input) -> NDArray[np.float32]:
    """(n, 3, height, width), or (n, height, width, 3)."""
    pixels = np.stack([np.asarray(seen(image, wanted), np.float32) for image in images])
    pixels = pixels[..., ::-1] if wanted.bgr else pixels
    mean, std = np.array(wanted.mean, np.float32), np.array(wanted.std, np.float32)
    values = (pixels * np.float32(wanted.scale) - mean) / std
    if wanted.layout is Layout.CHANNELS_FIRST:
        values = values.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(values, np.float32)


def seen(image: Image.Image, wanted: Input) -> Image.Image:
    """The RGB picture of the model's size."""
    image, size = rgb(image), (wanted.width, wanted.height)
    if wanted.fit is Fit.SQUASH:
        return _resized(image, size)
    if wanted.fit is Fit.PAD:
        scale = min(size[0] / image.width, size[1] / image.height)
        inner = _resized(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        whole = Image.new("RGB", size, (wanted.fill,) * 3)
        whole.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
        return whole
    scale = max(size[0] / image.width, size[1] / image.height) / wanted.crop
    enlarged = _resized(image, (max(size[0], round(image.width * scale)), max(size[1], round(image.height * scale))))
    left, top = (enlarged.width - size[0]) // 2, (enlarged.height - size[1]) // 2
    return enlarged.crop((left, top, left + size[0], top + size[1]))


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, SMOOTH)
