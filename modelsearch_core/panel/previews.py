"""A sample as the picture that other programs show for a model: `<model>.preview.png` beside it."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from PIL import Image

from ..errors import ModelSearchError
from ..model_files.opening import read_bounded
from ..model_files.previews import PREVIEW_SUFFIXES
from ..raster import open_raster
from .refusals import RefusedError

LARGEST = 2**26  # bytes of a file
SHOWN = 384  # pixels of the longer side


def existing(model: Path) -> list[Path]:
    """Previews that lie beside a model, the one that is shown first."""
    return [path for suffix in PREVIEW_SUFFIXES if _is_file(path := _beside(model, suffix))]


def small(path: Path) -> bytes:
    """A preview as the panel shows it, WebP. RefusedError (404) for what is no picture."""
    try:
        shown = open_raster(read_bounded(path, LARGEST), SHOWN)
    except (ModelSearchError, OSError) as error:
        raise RefusedError(404, f"{path.name} cannot be read as a picture") from error
    buffer = io.BytesIO()
    shown.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()


def save(model: Path, webp: bytes, *, replace: bool) -> Path:
    """Writes the preview. RefusedError (409) where the model has one, unless it may be replaced; only a
    `.preview.png` is ever written over, other pictures stay."""
    if not model.exists():
        raise RefusedError(404, f"{model} is not there any more")
    if (there := existing(model)) and not replace:
        raise RefusedError(409, f"{model.name} has a preview already: {there[0].name}", exists=there[0].name)
    target = _beside(model, PREVIEW_SUFFIXES[0])
    try:
        _write(target, _png(webp))
    except OSError as error:
        raise RefusedError(403, f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for one
        return False


def _beside(model: Path, suffix: str) -> Path:
    return model / f"{model.name}{suffix}" if model.is_dir() else model.with_name(f"{model.stem}{suffix}")


def _png(webp: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(webp)).convert("RGB").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _write(target: Path, content: bytes) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".preview-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
