"""Pictures that come from a browser: opened with limits, before a pixel is decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence

from PIL import Image, ImageOps

from .refusals import RefusedError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
MOST_BYTES = 20 << 20
MOST_PIXELS = 64_000_000
MOST_PICTURES = 16
LONGEST_SIDE = 1024  # more than any encoder sees


def opened(pictures: Mapping[str, Sequence[bytes]], field: str) -> list[Image.Image]:
    """All pictures of a form's field. RefusedError for too many, too large, or no pictures."""
    found = list(pictures.get(field, ()))
    if len(found) > MOST_PICTURES:
        raise RefusedError(413, f"{len(found)} pictures are too many for one search; {MOST_PICTURES} at most")
    return [open_picture(content) for content in found]


def open_picture(content: bytes) -> Image.Image:
    """RGB, transparent parts white, upright, the longer side at most LONGEST_SIDE."""
    if len(content) > MOST_BYTES:
        raise RefusedError(413, f"the picture has {len(content) >> 20} MB; {MOST_BYTES >> 20} MB at most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            with Image.open(io.BytesIO(content), formats=_known_formats()) as picture:
                return _decoded(picture)
    except Image.DecompressionBombError as error:
        raise RefusedError(413, f"the picture has too many pixels; {MOST_PIXELS // 10**6} million at most") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise RefusedError(415, f"this cannot be read as a picture ({_why(error)}); try PNG, JPEG or WebP") from error


def _decoded(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise RefusedError(413, f"the picture has {width} × {height} pixels; {MOST_PIXELS // 10**6} million at most")
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    small = ImageOps.exif_transpose(picture)
    small = _on_white(small)
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BICUBIC)
    return small


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, as a browser shows it on paper."""
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    paper = Image.new("RGBA", layers.size, "white")
    paper.alpha_composite(layers)
    return paper.convert("RGB")


def _known_formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _why(error: Exception) -> str:
    return "it is none" if isinstance(error, Image.UnidentifiedImageError) else str(error) or type(error).__name__
