"""Left against right: `python -m benchmarks.spatial`, after benchmarks.zoo.large_build.

Indexes pairs of LoRA that differ only in the way things face and asks with held-out pictures which of the two is favoured;
then the procedural zoo's pictures. Writes benchmarks/results/spatial.json and docs/results_spatial.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER, PROMPTS, zoo_models
from benchmarks.zoo.large import Pair, pairs
from modelsearch_core.embedding import Features
from modelsearch_core.encoders import open_encoder
from modelsearch_core.encoders.spatial import open_spatial_encoder
from modelsearch_core.search import refining

from .elsewhere import elsewhere
from .left_right import collection, held_out, indexed, left_and_right, mirror_cosine, own_prompts
from .page import page

ROOT = Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "benchmarks" / "results" / "spatial.json"
PAGE = ROOT / "docs" / "results_spatial.md"
ZOO = ROOT / "build" / "benchmark_zoo"
MINI = ROOT / "build" / "procedural_zoo.sqlite"
WORK = ROOT / "build" / "spatial"


class Kept:
    """An encoder that looks at every picture once, however many methods ask by it."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._seen: dict[bytes, Features] = {}
        self.name, self.dimension, self.encode_texts = (
            encoder.name,
            encoder.dimension,
            getattr(encoder, "encode_texts", None),
        )

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        keys = [image.tobytes() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._seen}
        self._seen |= dict(zip(new, self._encoder.encode_images([*new.values()]), strict=True))
        return np.array([self._seen[key] for key in keys])


def of_pair(args: argparse.Namespace, pair: Pair, work: Path, encoders: dict[str, Any]) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    folder = collection(args.zoo, pair, work / "models")
    probes = {"things": own_prompts(pair, work / "prompts.txt"), "world": PROMPTS}
    catalogs = {
        name: indexed(folder, prompts, work / f"{name}.sqlite", args.convnext, args.samples)
        for name, prompts in probes.items()
    }
    asked = held_out(args.zoo, pair)
    return {
        "facts": {
            "things": ", ".join(pair[0].subjects).capitalize(),
            "mirror": mirror_cosine(encoders["spatial_encoder"], asked),
            "mirror_global": mirror_cosine(encoders["encoder"], asked),
        },
        "probes": {name: left_and_right(catalog, args.zoo, pair, encoders) for name, catalog in catalogs.items()},
    }


def facts(samples: int, convnext: Path) -> dict[str, Any]:
    told = json.loads((convnext / "figures.json").read_text())
    return {
        "samples": samples,
        "told": told["accuracy"],
        "classes": told["classes"],
        "elsewhere": {
            "queries": sum(len(model.pictures) for model in zoo_models().values()),
            "models": len(zoo_models()) + 1,
            "first": refining.REFINED,
            "weight": refining.WEIGHT,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=ZOO, help="with models/ and queries/ of the pairs")
    parser.add_argument("--convnext", type=Path, default=ZOO / "convnext")
    parser.add_argument("--mini", type=Path, default=MINI, help="the procedural zoo's catalog (copied, not changed)")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--samples", type=int, default=64)
    args = parser.parse_args()
    encoders = {
        "encoder": Kept(open_encoder(str(FOLDER / "clip"), device="cpu")),
        "spatial_encoder": Kept(open_spatial_encoder(str(args.convnext), device="cpu")),
    }
    results = {
        "facts": facts(args.samples, args.convnext),
        "pairs": [of_pair(args, pair, args.work / name, encoders) for name, pair in pairs().items()],
        "elsewhere": elsewhere(args.mini, args.convnext, args.work, encoders),
    }
    RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(page(results))


if __name__ == "__main__":
    main()
