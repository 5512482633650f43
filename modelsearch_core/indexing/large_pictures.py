"""Base models' pictures as large as they were generated, beside the catalog, whose own are too small for detectors.

`classifiers` asks with them (`classifiers/probe_pictures.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from ..catalog import Catalog
from ..model_files import Kind, ModelFile
from .thumbnails import SHORT_SIDE

SIDE = 640  # pixels of the long side at most
QUALITY = 92
BASES = (Kind.CHECKPOINT, Kind.DIFFUSION_MODEL)

log = logging.getLogger(__name__)


def folder_of(catalog: Path) -> Path:
    """Where a catalog's probe pictures lie, these and those that were chosen."""
    return catalog.with_name(f"{catalog.stem}.probes")


def keep_large(catalog: Catalog, model: ModelFile, digest: str, pictures: Mapping[int, Image.Image]) -> None:
    """Those of a base model that lose pixels in the catalog. A disk that is full does not stop generation."""
    if model.kind not in BASES or all(min(image.size) <= SHORT_SIDE for image in pictures.values()):
        return
    folder = _folder(catalog, model.fingerprint, digest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, image in pictures.items():
            part = folder / f"{number:05}.part"
            reduced(image).save(part, "WEBP", quality=QUALITY)
            part.replace(folder / f"{number:05}.webp")
    except OSError as error:
        log.warning("large pictures of %s are not kept: %s", model.path, error)


def large_pictures(catalog: Catalog, fingerprint: str, digest: str) -> dict[int, Path]:
    """By number; those that were kept."""
    folder = _folder(catalog, fingerprint, digest)
    return {int(path.stem): path for path in sorted(folder.glob("*.webp"))} if folder.is_dir() else {}


def reduced(image: Image.Image) -> Image.Image:
    """RGB, its long side at most `SIDE`."""
    image = image.convert("RGB")
    scale = SIDE / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _folder(catalog: Catalog, fingerprint: str, digest: str) -> Path:
    return folder_of(catalog.beside) / "generated" / f"{fingerprint}-{digest}"
