"""The texts in a picture's file, without decoding a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PIL import Image

MOST_TEXT = 4 << 20  # characters; a workflow has some ten thousand
EXIF_FOLDER, USER_COMMENT = 0x8769, 0x9286
PLAIN_FIELDS = (USER_COMMENT, 0x0110, 0x010F, 0x010E)  # Model, Make, ImageDescription: where programs without one write
CODES = (b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"\0\0\0\0\0\0\0\0")


def texts_of(image: Image.Image) -> Iterator[str]:
    """Of PNG's chunks, then of EXIF, where JPEG, WebP and AVIF carry the same."""
    for value in image.info.values():
        if isinstance(value, str) and len(value) <= MOST_TEXT:
            yield value
    if image.format != "PNG" or "exif" in image.info:  # of a PNG without one, Pillow would decode all to look for it
        yield from filter(None, map(_decoded, _exif(image)))


def _exif(image: Image.Image) -> list[Any]:
    try:
        exif = image.getexif()
        return [exif.get_ifd(EXIF_FOLDER).get(USER_COMMENT), *(exif.get(field) for field in PLAIN_FIELDS)]
    except Exception:  # a broken EXIF block can raise anything
        return []


def _decoded(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)[:MOST_TEXT] if value else ""
    code, content = (value[:8], value[8:]) if value[:8] in CODES else (b"", value)
    content = content[: 2 * MOST_TEXT]
    if code != CODES[0]:
        return content.decode("utf-8", errors="replace").strip("\0")
    little = content[1:2] == b"\0"  # the standard leaves the order of bytes open
    return content.decode("utf-16-le" if little else "utf-16-be", errors="replace").strip("\0")
