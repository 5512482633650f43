"""The pictures that are kept: small enough for thousands of models, large enough for any encoder."""

from __future__ import annotations

from PIL import Image

from ..catalog.records import from_webp, to_webp

SHORT_SIDE = 256
LONG_SIDE = 4096  # WebP has 16383 at most


def thumbnail(image: Image.Image) -> Image.Image:
    """The picture as it will be read back from the catalog."""
    return from_webp(compressed(image))


def compressed(image: Image.Image) -> bytes:
    """WebP of RGB, the short side at most 256 pixels and the long one 4096, as it will be read back from the catalog.

    Features are made of this picture, so that another encoder, added later, sees what the first one saw.
    """
    image = image.convert("RGB")
    scale = min(SHORT_SIDE / min(image.size), LONG_SIDE / max(image.size))
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=None)
    return to_webp(image)
