"""Pictures that lie beside a model, or within its header."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image

from ..errors import UnreadablePictureError
from ..raster import open_raster
from .candidates import PICTURE_EXTENSIONS, VIDEO_EXTENSIONS, Neighbour, candidate_at
from .header import read_header
from .model_file import ModelFile

PREVIEW_SUFFIXES = (  # A1111's and Lora-Manager's own previews first, then pictures of the same name (ComfyUI)
    *(".preview.png", ".preview.webp", ".preview.jpg", ".preview.jpeg"),
    *(".png", ".webp", ".jpg", ".jpeg"),
)
_SHOWN = (*PICTURE_EXTENSIONS, *VIDEO_EXTENSIONS)
THUMBNAIL_KEY = "modelspec.thumbnail"
LONGEST_THUMBNAIL = 8 * 2**20  # characters of base64
MOST_PIXELS = 4096 * 4096
LONGEST_SIDE = 4096
_DATA_URI = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)


def previews_of(model: ModelFile) -> list[Path]:
    """Pictures and videos beside the model, best first; after PREVIEW_SUFFIXES numbered and other ones of its stem,
    then videos.

    Of a folder, those that lie in it, not in its sub-folders. Empty when the model is gone by now.
    """
    try:
        return preview_paths(model.path, candidate_at(model.path).neighbours)
    except OSError:
        return []


def preview_paths(model: Path, neighbours: Iterable[Neighbour]) -> list[Path]:
    """The pictures among a model's neighbours, best first."""
    folder = model if model.is_dir() else model.parent
    pictures = [each for each in neighbours if each.suffix.endswith(_SHOWN) and "/" not in each.name]
    return [folder / each.name for each in sorted(pictures, key=_order)]


def _order(picture: Neighbour) -> tuple[bool, int, list[str], str]:
    known = PREVIEW_SUFFIXES.index(picture.suffix) if picture.suffix in PREVIEW_SUFFIXES else len(PREVIEW_SUFFIXES)
    return (
        picture.suffix.endswith(VIDEO_EXTENSIONS),
        known,
        [part.lstrip("0").zfill(9) if number else part for number, part in _parts(picture.suffix)],
        picture.name,
    )


def _parts(text: str) -> list[tuple[bool, str]]:
    """(whether it is a number, text), in turn; other scripts' digits, and superscripts, count as text."""
    return [(number % 2 == 1, part) for number, part in enumerate(re.split(r"([0-9]+)", text))]


def embedded_preview(model: ModelFile) -> Image.Image | None:
    """The thumbnail in a safetensors header, as RGB; None when there is none, or none that is safe to open."""
    if model.path.suffix.lower() not in (".safetensors", ".sft"):
        return None
    return thumbnail_of(read_header(model.path).metadata)


def thumbnail_of(metadata: Mapping[str, str]) -> Image.Image | None:
    """The picture in `modelspec.thumbnail`, a data URI; None for a broken or an oversized one."""
    uri = metadata.get(THUMBNAIL_KEY, "")
    match = _DATA_URI.match(uri)
    if match is None or len(uri) > LONGEST_THUMBNAIL:
        return None
    try:
        return open_raster(base64.b64decode(uri[match.end() :], validate=True), LONGEST_SIDE, most=MOST_PIXELS)
    except (ValueError, UnreadablePictureError):
        return None
