"""Pictures that come from anyone: raster formats only, sizes looked at before a pixel is decoded, made smaller at once.

Pillow would run Ghostscript for an EPS, whatever it is named, and decode 64 megapixels in full to show a thumbnail.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import BinaryIO

from PIL import Image, ImageOps

from .errors import UnreadablePictureError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
MOST_PIXELS = 64_000_000


class Budget:
    """How many pixels may still be decoded, of several pictures together."""

    def __init__(self, pixels: int) -> None:
        self.all = self.left = pixels

    def spend(self, pixels: int) -> None:
        """Raises UnreadablePictureError where no more than that is left."""
        self.left -= pixels
        if self.left < 0:
            raise UnreadablePictureError(
                f"the pictures have more than {self.all // 10**6} million pixels together; send fewer, or smaller ones",
                is_too_large=True,
            )


def open_raster(
    source: bytes | BinaryIO, longest: int, *, most: int = MOST_PIXELS, budget: Budget | None = None
) -> Image.Image:
    """RGB, transparent parts white, upright, the longer side at most `longest` pixels. UnreadablePictureError for what
    is no picture, or has more than `most` pixels or more than are left of the `budget`."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `most` is lower
            with Image.open(stream, formats=known_formats()) as picture:
                return _decoded(picture, longest, most, budget)
    except UnreadablePictureError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise _too_large("more", most) from error
    except Exception as error:  # decoders raise what they like: AVIF's a RuntimeError, PNG's a SyntaxError
        raise UnreadablePictureError(
            f"this cannot be read as a picture ({_why(error)}); try PNG, JPEG or WebP"
        ) from error


def known_formats(wanted: Sequence[str] = FORMATS) -> list[str]:
    """Those of the formats that this Pillow reads."""
    Image.init()
    return [name for name in wanted if name in Image.OPEN]


def _decoded(picture: Image.Image, longest: int, most: int, budget: Budget | None) -> Image.Image:
    width, height = picture.size
    if width * height > most:
        raise _too_large(f"{width} × {height}", most)
    picture.draft("RGB", (longest, longest))  # JPEG: an eighth, a quarter or a half of each side
    if budget is not None:
        budget.spend(picture.width * picture.height)
    small = _on_white(picture)
    small.thumbnail((longest, longest), Image.Resampling.BICUBIC)
    return _upright(small, picture)


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, as a browser shows it on paper."""
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    paper = Image.new("RGBA", layers.size, "white")
    paper.alpha_composite(layers)
    return paper.convert("RGB")


def _upright(small: Image.Image, picture: Image.Image) -> Image.Image:
    """Turned as the picture's EXIF says, where it can be read."""
    try:
        small.info["exif"] = picture.getexif().tobytes()
        return ImageOps.exif_transpose(small)
    except Exception:  # a broken block says nothing about the pixels
        return small


def _too_large(size: str, most: int) -> UnreadablePictureError:
    return UnreadablePictureError(f"the picture has {size} pixels; {most // 10**6} million at most", is_too_large=True)


def _why(error: Exception) -> str:
    return "it is none" if isinstance(error, Image.UnidentifiedImageError) else str(error) or type(error).__name__
