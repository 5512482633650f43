"""What can be known without generating: a model's own words and the pictures beside it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..embedding import Encoder
from ..errors import ModelSearchError
from ..model_files import ModelFile, previews_of
from ..model_files.candidates import VIDEO_EXTENSIONS
from ..model_files.opening import read_bounded
from ..model_files.video_frames import frames_of
from ..raster import open_raster
from ..specification import Evidence, Specification
from .progress import Progress, Step
from .thumbnails import LONG_SIDE, compressed

MOST_TAGS = 12
MOST_PREVIEWS = 8
LARGEST_PREVIEW = 2**26  # bytes
BATCH = 16  # texts, or models with a few each: a host's own work waits for one batch at most

log = logging.getLogger(__name__)


def words_of(model: ModelFile) -> list[str]:
    """What the author says of a model, as a few texts of the length a text encoder reads."""
    name = model.title.replace("_", " ").replace("-", " ")
    texts = [name, ", ".join(model.trigger_words), ", ".join(model.tags[:MOST_TAGS]), model.description[:300]]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def store_words(catalog: Catalog, encoder: Encoder, models: Sequence[ModelFile], progress: Progress) -> None:
    """Encodes the words of models whose words are new."""
    known = _digests(catalog, encoder, Evidence.METADATA)
    new: list[tuple[ModelFile, list[str]]] = []
    for model in models:
        words = words_of(model)
        if words and known.get(model.fingerprint) != _of_words(words):
            new.append((model, words))
        progress(Step(stage="words", done=0, total=None, model=model.name))
    for start in range(0, len(new), BATCH):
        part = new[start : start + BATCH]
        features = encoder.encode_texts([text for _, words in part for text in words])
        with catalog.transaction():
            for (model, words), rows in zip(part, _split(features, [len(words) for _, words in part]), strict=True):
                _replace(catalog, known, _specification(model, _of_words(words), encoder, Evidence.METADATA, rows))
        progress(Step(stage="words", done=start + len(part), total=len(new), model=part[-1][0].name))


def store_previews(catalog: Catalog, encoder: Encoder, models: Sequence[ModelFile], progress: Progress) -> None:
    """Encodes the pictures beside models, where they are new; an unreadable picture is passed over."""
    known = _digests(catalog, encoder, Evidence.PREVIEW)
    for done, model in enumerate(models, 1):
        paths = previews_of(model)[:MOST_PREVIEWS]
        digest = _of_files(paths)
        if paths and known.get(model.fingerprint) != digest:
            images = [image for path in paths for image in _pictures(path)]
            _store_pictures(catalog, known, encoder, model, digest, images)
        progress(Step(stage="previews", done=done, total=len(models), model=model.name))


def _pictures(path: Path) -> list[bytes]:
    """Thumbnails of a picture, or of a video's frames."""
    if path.suffix.lower() in VIDEO_EXTENSIONS:
        return [compressed(frame) for frame in frames_of(path)]
    image = _opened(path)
    return [] if image is None else [image]


def _opened(path: Path) -> bytes | None:
    """A thumbnail; None for what is no picture, or one too large to be a preview."""
    try:
        return compressed(open_raster(read_bounded(path, LARGEST_PREVIEW), LONG_SIDE))
    except (ModelSearchError, OSError) as error:
        log.warning("%s is passed over: %s", path, error)
        return None


def _store_pictures(
    catalog: Catalog, known: dict[str, str], encoder: Encoder, model: ModelFile, digest: str, images: list[bytes]
) -> None:
    if not images:
        return
    features = encoder.encode_images([*map(from_webp, images)])
    with catalog.transaction():
        _replace(catalog, known, _specification(model, digest, encoder, Evidence.PREVIEW, features))
        catalog.put_samples(model.fingerprint, digest, dict(enumerate(images)))


def _replace(catalog: Catalog, known: dict[str, str], specification: Specification) -> None:
    if old := known.get(specification.fingerprint):
        catalog.remove_specification(specification.fingerprint, old)
    catalog.put_specification(specification)


def _specification(
    model: ModelFile, digest: str, encoder: Encoder, evidence: Evidence, rows: np.ndarray
) -> Specification:
    return Specification(
        fingerprint=model.fingerprint,
        digest=digest,
        encoder=encoder.name,
        evidence=evidence,
        Z=rows,
        numbers=np.arange(len(rows), dtype=np.int32),
    )


def _digests(catalog: Catalog, encoder: Encoder, evidence: Evidence) -> dict[str, str]:
    keys = catalog.specification_keys(encoder.name)
    return {fingerprint: digest for fingerprint, digest, found, _ in keys if found is evidence}


def _of_words(words: Sequence[str]) -> str:
    return "words:" + hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


def _of_files(paths: Sequence[Path]) -> str:
    stats = [(path, path.stat()) for path in paths if path.is_file()]
    text = "\0".join(f"{path.name}|{stat.st_size}|{stat.st_mtime_ns}" for path, stat in stats)
    return "preview:" + hashlib.sha256(text.encode()).hexdigest()[:24]


def _split(rows: np.ndarray, lengths: Sequence[int]) -> Iterator[np.ndarray]:
    start = 0
    for length in lengths:
        yield rows[start : start + length]
        start += length
