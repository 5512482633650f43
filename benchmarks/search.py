"""From a closed catalog to a first answer: `python benchmarks/search.py [--models 2000]`.

Fills a catalog with random features (32 samples of 512 numbers a model), opens it and asks by first_moment with features
that are already there, as the encoder's time is its own. Prints and writes benchmarks/results/search.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modelsearch_core.background import background_texts
from modelsearch_core.carriers import carriers, one_each
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Features, unit
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.specification import Evidence, Specification

D, S = 512, 32


class RandomEncoder:
    """Features of nothing."""

    name, dimension = "random", D

    def __init__(self) -> None:
        self._rng = np.random.default_rng(1)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return self.encode_texts([""] * len(images))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        return unit(self._rng.normal(size=(len(texts), D))).astype(np.float32)


def fill(path: Path, models: int) -> None:
    rng, encoder = np.random.default_rng(0), RandomEncoder()
    texts = background_texts()
    texts = list(dict.fromkeys([*texts, *(text for pair in one_each(texts, carriers()) for text in pair)]))
    with Catalog(path) as catalog, catalog.transaction():
        catalog.put_encoder(encoder.name, "random", D)
        catalog.put_text_features(encoder.name, texts, encoder.encode_texts(texts))
        catalog.put_files(file_of(number) for number in range(models))
        for number in range(models):
            Z = unit(rng.normal(size=(S, D)) + 3 * rng.normal(size=D))
            catalog.put_specification(specification_of(number, Z))


def file_of(number: int) -> ModelFile:
    return ModelFile(
        path=Path(f"models/{number:05d}.safetensors"),
        kind=Kind.LORA,
        architecture="sd15",
        fingerprint=f"{number:032x}",
        size=1,
        modified=1,
        title=f"model {number}",
    )


def specification_of(number: int, Z: Features) -> Specification:
    return Specification(
        fingerprint=f"{number:032x}",
        digest="d",
        encoder="random",
        evidence=Evidence.GENERATED,
        Z=Z,
        numbers=np.arange(S, dtype=np.int32),
        drawings=Z,
    )


def measure(path: Path) -> dict[str, float]:
    """Seconds of each part."""
    picture = Image.new("RGB", (8, 8))
    started = time.perf_counter()
    index = ModelIndex.open(path, encoder=RandomEncoder())
    opened = time.perf_counter()
    index.search(Query(text=["a"]), method="first_moment")
    first = time.perf_counter()
    index.search(Query(text=["b"]), method="first_moment")
    second = time.perf_counter()
    index.search(Query(images=[picture]), method="first_moment")
    image = time.perf_counter()
    index.search(Query(images=[picture]))
    automatic = time.perf_counter()
    index.search(Query(images=[picture]))
    again = time.perf_counter()
    return {
        "open": opened - started,
        "first text": first - opened,
        "next text": second - first,
        "first image": image - second,
        "first image, auto": automatic - image,
        "next image, auto": again - automatic,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=2000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.sqlite"
        fill(path, args.models)
        seconds = measure(path)
        result = {"models": args.models, "bytes a model": path.stat().st_size // args.models, "seconds": seconds}
    (ROOT / "benchmarks" / "results" / "search.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
