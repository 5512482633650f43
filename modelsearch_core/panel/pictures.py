"""Pictures that come from a browser, opened within a budget for the whole request."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from PIL import Image

from ..errors import UnreadablePictureError
from ..raster import Budget, open_raster
from .refusals import RefusedError

MOST_BYTES = 20 << 20
MOST_PICTURES = 16  # of a field
MOST_PIXELS = 128_000_000  # decoded for one request: a few seconds
LONGEST_SIDE = 1024  # more than any encoder sees

_TURN = threading.Lock()  # one picture after another, of all requests: each may take a few hundred megabytes


def opened(pictures: Mapping[str, Sequence[bytes]], field: str, budget: Budget | None = None) -> list[Image.Image]:
    """All pictures of a form's field, one after another. RefusedError for too many, too large, or no pictures."""
    found = list(pictures.get(field, ()))
    if len(found) > MOST_PICTURES:
        raise RefusedError(413, f"{len(found)} pictures are too many for one search; {MOST_PICTURES} at most")
    return [open_picture(content, budget) for content in found]


def open_picture(content: bytes, budget: Budget | None = None) -> Image.Image:
    """RGB, transparent parts white, upright, the longer side at most LONGEST_SIDE."""
    if len(content) > MOST_BYTES:
        raise RefusedError(413, f"the picture has {len(content) >> 20} MB; {MOST_BYTES >> 20} MB at most")
    try:
        with _TURN:
            return open_raster(content, LONGEST_SIDE, budget=budget)
    except UnreadablePictureError as error:
        raise RefusedError(413 if error.is_too_large else 415, str(error)) from error
