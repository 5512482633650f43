"""Where things are in the pictures of models: a mean map each, from the pictures that the catalog keeps.

These are what every other feature was made of (`thumbnails`), so it makes no difference whether a model was sampled a
moment or a year ago, and 256 pixels are as many as an encoder of 224 looks at.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

import numpy as np

from ..catalog import Catalog
from ..catalog.spatial_maps import SpatialMap
from ..embedding import ImageEncoder
from ..errors import CatalogFaultError
from ..model_files import ModelFile
from ..specification import EVIDENCE_ORDER
from .progress import Progress, Report, Step

SINGLE = 2  # maps of single pictures kept of a model: unrelated queries for the others
EVIDENCE = tuple(each for each in reversed(EVIDENCE_ORDER) if each.is_seen)  # the better one last
STAGE = "layouts"

log = logging.getLogger(__name__)


def store_maps(
    catalog: Catalog,
    encoder: str,
    spatial: ImageEncoder,
    source: str,
    models: Sequence[ModelFile],
    report: Report,
    progress: Progress,
) -> None:
    """Maps of the models that `encoder` has seen pictures of, where there is none of all these pictures yet."""
    catalog.spatial.put_encoder(spatial.name, source, spatial.dimension)
    digests, have = _seen(catalog, encoder), catalog.spatial.samples(spatial.name)
    wanted = [(model, digests[model.fingerprint]) for model in models if model.fingerprint in digests]
    for done, (model, digest) in enumerate(wanted):
        progress(Step(stage=STAGE, done=done, total=len(wanted), model=model.name))
        failure, pictures = None, len(catalog.sample_numbers(model.fingerprint, digest))
        if pictures and have.get((model.fingerprint, digest)) != pictures:
            failure = _store_one(catalog, spatial, model, digest, report)
        progress(Step(stage=STAGE, done=done + 1, total=len(wanted), model=model.name, failure=failure))


def _store_one(catalog: Catalog, spatial: ImageEncoder, model: ModelFile, digest: str, report: Report) -> str | None:
    """Why it failed, or None. What a stored picture or a network raises does not stop the others."""
    try:
        catalog.spatial.put(map_of(catalog, spatial, model.fingerprint, digest))
        report.mapped.append(model.path)
    except CatalogFaultError:  # concerns all models
        raise
    except Exception as error:
        log.exception("%s has no map", model.path)
        report.failed.setdefault(model.path, f"{type(error).__name__}: {error}")
        return f"{type(error).__name__}: {error}"
    return None


def map_of(catalog: Catalog, spatial: ImageEncoder, fingerprint: str, digest: str) -> SpatialMap:
    """Each picture's map has unit length before the mean is taken."""
    maps = spatial.encode_images(list(catalog.sample_images(fingerprint, digest).values()))
    chance = np.random.default_rng(int(hashlib.sha256(fingerprint.encode()).hexdigest()[:8], 16))
    return SpatialMap(
        fingerprint=fingerprint,
        digest=digest,
        encoder=spatial.name,
        samples=len(maps),
        mean=maps.mean(axis=0, dtype=np.float32),
        single=maps[np.sort(chance.permutation(len(maps))[:SINGLE])],
    )


def _seen(catalog: Catalog, encoder: str) -> dict[str, str]:
    """The probe set (digest) that a model's best pictures are of, the newest, by fingerprint."""
    found: dict[str, tuple[int, int, str]] = {}
    for age, (fingerprint, digest, evidence, _) in enumerate(catalog.specification_keys(encoder)):
        if evidence in EVIDENCE:
            candidate = (EVIDENCE.index(evidence), age, digest)
            found[fingerprint] = max(found.get(fingerprint, candidate), candidate)
    return {fingerprint: digest for fingerprint, (_, _, digest) in found.items()}
