"""Features of the pictures that stand for a model: at most 64, each decoded and encoded once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..catalog.user_pictures import ChosenRow
from ..embedding import Encoder
from ..errors import ModelSearchError
from ..model_files.opening import open_regular
from ..pictures import Unreadable, Use, account_at, chosen
from ..prompt_tags import plain_words
from ..raster import open_raster
from ..specification import Evidence, Specification
from .progress import Progress, Step
from .thumbnails import SHORT_SIDE, compressed

BATCH = 16  # pictures between two steps: a host's own work waits for one batch at most
NEAR = 0.985  # cosine from which on two pictures are one
LARGEST = 2 * SHORT_SIDE  # pixels of the longer side that a picture is decoded to

Seen = tuple[bytes, NDArray[np.floating]]  # a thumbnail, and its feature (D,)

log = logging.getLogger(__name__)


def encode_pictures(
    catalog: Catalog,
    encoder: Encoder,
    titles: Mapping[str, str],
    uses: Mapping[str, Sequence[Use]],
    progress: Progress,
) -> None:
    """Encodes what is chosen of each model, where that is not what was chosen before. One with a title and without any
    picture has none any more."""
    keys = catalog.specification_keys(encoder.name)
    before = {fingerprint: digest for fingerprint, digest, of, _ in keys if of is Evidence.PICTURES}
    wanted = {fingerprint: chosen(of) for fingerprint, of in uses.items()}
    new = [(f, of) for f, of in wanted.items() if _digest(of) != before.get(f)]
    for done, (fingerprint, of) in enumerate(new, 1):
        step = Step(stage="looks", done=done - 1, total=len(new), model=titles.get(fingerprint, ""))
        of = [use if use.prompt is not None else replace(use, prompt=_prompt_at(use.path)) for use in of]
        _read_prompts(catalog, encoder, of)
        seen = _seen(catalog, encoder, of, partial(progress, step))
        _store(catalog, encoder, fingerprint, of, seen, before.get(fingerprint))
        progress(replace(step, done=done))
    for fingerprint, digest in before.items():
        if fingerprint not in wanted and fingerprint in titles:
            catalog.remove_specification(fingerprint, digest)


def _digest(uses: Sequence[Use]) -> str:
    text = "\0".join(f"{use.path}|{use.state}|{use.share:.3f}" for use in uses)
    return "pictures:" + hashlib.sha256(text.encode()).hexdigest()[:24]


def _prompt_at(path: str) -> str:
    try:
        return plain_words(account_at(path).prompt)
    except Unreadable:
        return ""


def _read_prompts(catalog: Catalog, encoder: Encoder, uses: Sequence[Use]) -> None:
    """Prompts as features, for methods that weigh samples by them."""
    prompts = list(dict.fromkeys(use.prompt for use in uses if use.prompt))
    known = catalog.text_features(encoder.name, prompts)
    if new := [prompt for prompt in prompts if prompt not in known]:
        catalog.put_text_features(encoder.name, new, encoder.encode_texts(new))


def _seen(catalog: Catalog, encoder: Encoder, uses: Sequence[Use], on_batch: Callable[[], None]) -> dict[str, Seen]:
    """By path; what another choice has encoded before is taken from there, and what cannot be decoded is left out."""
    found = _known(catalog, encoder, uses)
    left = [use.path for use in uses if use.path not in found]
    for start in range(0, len(left), BATCH):
        decoded = {path: webp for path in left[start : start + BATCH] if (webp := _thumbnail(path))}
        if decoded:
            features = encoder.encode_images([from_webp(webp) for webp in decoded.values()])
            found |= {path: (webp, row) for (path, webp), row in zip(decoded.items(), features, strict=True)}
        on_batch()
    return found


def _known(catalog: Catalog, encoder: Encoder, uses: Sequence[Use]) -> dict[str, Seen]:
    places = {use.path: place for use in uses if (place := catalog.pictures.sample_of(use.path, use.state))}
    keys = sorted({(fingerprint, digest) for fingerprint, digest, _ in places.values()})
    rows = {
        (*key, int(number)): row
        for key, of in catalog.specifications(encoder.name, keys).items()
        for number, row in zip(of.numbers, of.Z, strict=True)
    }
    found = ((path, catalog.sample(*place), rows.get(place)) for path, place in places.items())
    return {path: (webp, row) for path, webp, row in found if webp and row is not None}


def _thumbnail(path: str) -> bytes | None:
    try:
        with open_regular(Path(path)) as file:
            return compressed(open_raster(file, LARGEST))
    except (ModelSearchError, OSError) as error:
        log.info("%s is passed over: %s", path, error)
        return None


def _store(
    catalog: Catalog,
    encoder: Encoder,
    fingerprint: str,
    uses: Sequence[Use],
    seen: Mapping[str, Seen],
    before: str | None,
) -> None:
    """Under the digest of what was chosen, so that it is known next time, whatever of it could be decoded."""
    digest, kept = _digest(uses), _without_near([use for use in uses if use.path in seen], seen)
    with catalog.transaction():
        if before is not None:
            catalog.remove_specification(fingerprint, before)
        if not kept:
            return
        specification = Specification(
            fingerprint=fingerprint,
            digest=digest,
            encoder=encoder.name,
            evidence=Evidence.PICTURES,
            Z=np.array([seen[use.path][1] for use in kept], np.float32),
            numbers=np.arange(len(kept), dtype=np.int32),
            shares=np.array([use.share for use in kept]),
        )
        catalog.put_specification(specification)
        catalog.put_samples(fingerprint, digest, {n: seen[use.path][0] for n, use in enumerate(kept)})
        rows = [ChosenRow(n, use.path, use.state, use.prompt or "", use.share) for n, use in enumerate(kept)]
        catalog.pictures.put_chosen(fingerprint, digest, rows)


def _without_near(uses: Iterable[Use], seen: Mapping[str, Seen]) -> list[Use]:
    """Without pictures that look as one before them does."""
    kept: list[Use] = []
    rows: list[NDArray[np.floating]] = []
    for use in uses:
        row = np.asarray(seen[use.path][1], np.float32)
        row = row / (float(np.linalg.norm(row)) or 1)
        if not rows or float((np.array(rows) @ row).max()) < NEAR:
            kept.append(use)
            rows.append(row)
    return kept
