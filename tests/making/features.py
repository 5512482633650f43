"""Catalogs of given features: what each model's samples are is written down by the test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.records import to_webp
from modelsearch_core.embedding import unit
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import ColourEncoder, model_file

DIGEST_OF_WORDS = "words"


def features_catalog(
    path: Path,
    samples: Mapping[str, NDArray[np.floating]],
    *,
    words: Mapping[str, NDArray[np.floating]] | None = None,
    facets: Mapping[str, tuple[float, float]] | None = None,
    pictures: Mapping[str, Image.Image] | None = None,
) -> Path:
    """LoRA by title with unit rows (S, D) for the first S default probes; those of `words` have but a text's row."""
    dimension = next(iter(samples.values())).shape[1]
    probes = ProbeSet(
        probes=default_probes(max(map(len, samples.values()))),
        width=16,
        height=16,
        steps=1,
        guidance=1.0,
        sampler="none",
        generator="none",
    )
    with Catalog(path) as catalog, catalog.transaction():
        catalog.put_encoder(ColourEncoder.name, "colours", dimension)
        catalog.put_probe_set(probes)
        catalog.put_files(model_file(title) for title in [*samples, *(words or {})])
        for title, Z in samples.items():
            catalog.put_specification(_specification(title, probes.digest, Z, (facets or {}).get(title)))
        for title, Z in (words or {}).items():
            catalog.put_specification(_specification(title, DIGEST_OF_WORDS, Z, None))
        for title, picture in (pictures or {}).items():
            numbers = range(len(samples[title]))
            catalog.put_samples(f"fp-{title}", probes.digest, {n: to_webp(picture) for n in numbers})
    return path


def around(centre: NDArray[np.floating], count: int, spread: float, seed: int) -> NDArray[np.floating]:
    """`count` unit rows near a direction."""
    noise = np.random.default_rng(seed).standard_normal((count, len(centre)))
    return unit(centre + spread * noise / np.sqrt(len(centre)))


def _specification(
    title: str, digest: str, Z: NDArray[np.floating], facets: tuple[float, float] | None
) -> Specification:
    strength, consistency = facets or (None, None)
    return Specification(
        fingerprint=f"fp-{title}",
        digest=digest,
        encoder=ColourEncoder.name,
        evidence=Evidence.METADATA if digest == DIGEST_OF_WORDS else Evidence.GENERATED,
        Z=np.asarray(Z, np.float32),
        numbers=np.arange(len(Z), dtype=np.int32),
        strength=strength,
        consistency=consistency,
    )
