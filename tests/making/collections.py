"""Large catalogs of models that are nowhere on disk, filled in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.records import to_webp
from modelsearch_core.model_files import Kind
from modelsearch_core.probes import ProbeSet, default_probes
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import COLOURS, NAMES, ColourEncoder, model_file

SAMPLES = 3


def fill_catalog(path: Path, count: int) -> None:
    """Models `00000 red`, `00001 green`, ... that paint their colour. All share their pictures' probes."""
    encoder = ColourEncoder()
    probes = ProbeSet(
        probes=default_probes(SAMPLES), width=16, height=16, steps=1, guidance=1.0, sampler="none", generator="none"
    )
    pictures = {name: [_picture(rgb, turn) for turn in range(SAMPLES)] for name, rgb in COLOURS.items()}
    features = {name: encoder.encode_images(images) for name, images in pictures.items()}
    content = {name: {n: to_webp(image) for n, image in enumerate(images)} for name, images in pictures.items()}
    with Catalog(path) as catalog, catalog.transaction():
        catalog.put_encoder(encoder.name, "colours", encoder.dimension)
        catalog.put_probe_set(probes)
        files = [
            model_file(f"{n:05} {NAMES[n % len(NAMES)]}", kind=_kind(n), folder=f"/models/{n % 7}")
            for n in range(count)
        ]
        catalog.put_files(files)
        for n, file in enumerate(files):
            colour = NAMES[n % len(NAMES)]
            catalog.put_specification(_specification(file.fingerprint, probes.digest, features[colour]))
            catalog.put_samples(file.fingerprint, probes.digest, content[colour])


def _kind(n: int) -> Kind:
    return Kind.CHECKPOINT if n % 10 == 9 else Kind.LORA


def _picture(rgb: tuple[int, int, int], turn: int) -> Image.Image:
    picture = Image.new("RGB", (32, 32), (128, 128, 128))
    picture.paste(rgb, (2 * turn, 2 * turn, 20 + 2 * turn, 20 + 2 * turn))
    return picture


def _specification(fingerprint: str, digest: str, Z: np.ndarray) -> Specification:
    return Specification(
        fingerprint=fingerprint,
        digest=digest,
        encoder=ColourEncoder.name,
        evidence=Evidence.GENERATED,
        Z=Z,
        numbers=np.arange(len(Z), dtype=np.int32),
    )
