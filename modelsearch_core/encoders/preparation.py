"""Pictures as an encoder sees them: 8-bit RGB, anti-aliased bicubic, short side to size, centre cut out.

Resizing 8-bit pictures with Pillow's filter is what keeps features comparable (Parmar et al., clean-fid,
arXiv 2104.11222); a stored thumbnail and a fresh picture of the same size give the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps


def rgb(image: Image.Image) -> Image.Image:
    """Upright, without alpha (on white), three channels of 8 bits."""
    image = ImageOps.exif_transpose(image) or image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def square(image: Image.Image, size: int) -> Image.Image:
    """The centre square of a picture whose short side has `size` pixels."""
    image = rgb(image)
    scale = size / min(image.size)
    width, height = (max(size, round(edge * scale)) for edge in image.size)
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return image.crop((left, top, left + size, top + size))


def pixels(image: Image.Image, size: int) -> NDArray[np.float32]:
    """(3, size, size) from 0 to 1."""
    return np.asarray(square(image, size), np.float32).transpose(2, 0, 1) / 255
