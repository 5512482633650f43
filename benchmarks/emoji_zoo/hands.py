"""How well the defaults tell hands apart that nothing was tuned on: `python -m benchmarks.emoji_zoo.hands`.

Seven emoji artists and 26 painters stand for models: their pictures (`picture_sets`) are what they "generate", Noto's are what
their "base" makes, and indexing and searching are the tool's own. Asked are pictures of other scenes, line drawings of these,
and what people call each hand. Intervals of 95 % are by bootstrap over hands.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.collection import Collection
from modelsearch_core.drawing import outlines
from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_encoder
from modelsearch_core.indexing import Engine, IndexSettings
from modelsearch_core.indexing import index as run_index
from modelsearch_core.model_files import ModelFile
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.statistics import Statistics

from ..protocols.collection import Asker, Indexed, Questions
from ..protocols.content import SKETCHES, TEXTS
from .asking import figures
from .scenes import SIDE

BASE = "noto"
METHODS = ("auto", "first_moment", "monte_carlo", "best_k", "gaussian", "paired_difference", "kernel_mean", "rkme_clip")
KEY = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
RESULT = Path("benchmarks/results/emoji_hands.json")


@dataclass(frozen=True)
class Lent:
    """A `Generator` whose pictures were made before."""

    sets: Path
    models: Sequence[ModelFile]
    name: str = "picture sets"

    def base_of(self, model: ModelFile) -> ModelFile | None:
        if model.path.stem == BASE:
            return None
        return next(other for other in self.models if other.path.stem == BASE)

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        base = self.base_of(model)
        return ProbeSet(
            probes=tuple(probes),
            width=SIDE,
            height=SIDE,
            steps=1,
            guidance=1.0,
            sampler="none",
            generator=self.name,
            base=base.fingerprint if base else None,
            lora_weight=1.0 if base else 0.0,
        )

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        for number in numbers:
            yield [opened(self.sets / "sets" / model.path.stem / f"{number:02d}.webp")]


def opened(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def stand_ins(sets: Path) -> Path:
    """A folder with a file for each hand, which says nothing but that it is a LoRA."""
    folder = sets / "models"
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(told(sets)["models"]):
        path = folder / f"{name}.safetensors"
        if not path.exists():
            rng = np.random.default_rng(number)
            shapes = {"lora_down": (4, 768), "lora_up": (320, 4)}
            save_file(
                {f"{KEY}.{part}.weight": rng.normal(size=shape).astype(np.float16) for part, shape in shapes.items()},
                path,
            )
    return folder


def told(sets: Path) -> dict[str, Any]:
    return json.loads((sets / "sets.json").read_text(encoding="utf-8"))


def indexed(sets: Path, encoder: Encoder, source: str, catalog: Path) -> Indexed:
    """All hands, measured by the tool; and the questions."""
    scenes = told(sets)["scenes"]["sets"]
    probes = [Probe(scene["caption"], number) for number, scene in enumerate(scenes)]
    engine = Engine(
        encoder=encoder,
        encoder_source=source,
        generator_for=lambda models: Lent(sets, models),
        draw=outlines,
        probes=lambda _: probes,
    )
    with Catalog(catalog) as kept:
        report = run_index(kept, [stand_ins(sets)], engine, IndexSettings(samples=len(probes)))
        assert not report.failed, report.failed
    collection = Collection(Catalog(catalog, read_only=True), encoder.name, encoder.dimension)
    names = [entry.path.stem for entry in collection.entries]
    models = told(sets)["models"]
    records = [
        {"category": "hand", "description": models[name]["words"][0], "words": models[name]["words"]} for name in names
    ]
    return Indexed(Statistics(collection), encoder, records, questions(sets, names, encoder))


def questions(sets: Path, names: Sequence[str], encoder: Encoder) -> Questions:
    files = [(m, file) for m, name in enumerate(names) for file in sorted((sets / "queries" / name).glob("*.webp"))]
    pictures = [opened(file) for _, file in files]
    captions = [scene["caption"] for scene in told(sets)["scenes"]["queries"]]
    return Questions(
        encoder.encode_images(pictures),
        encoder.encode_images([outlines(picture) for picture in pictures]),
        [captions[int(file.stem)] for _, file in files],
        np.array([m for m, _ in files], np.intp),
    )


def measured(of: Indexed) -> dict[str, Any]:
    asker, owner = Asker(of), of.questions.owner
    words = [(m, text) for m, record in enumerate(of.records) for text in record["words"]]
    asked, wanted = [text for _, text in words], np.array([m for m, _ in words], np.intp)
    return {
        "hands": len(of.records),
        "pictures": {method: figures(asker.pictures(method, of.questions), owner) for method in METHODS},
        "sketches": {method: figures(asker.sketches(method, of.questions), owner) for method in SKETCHES},
        "texts": {method: figures(asker.texts(method, asked), wanted) for method in TEXTS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=Path("build/emoji_zoo/picture_sets"), help="of `picture_sets`")
    parser.add_argument("--encoder", default="build/emoji_zoo/clip", help="as `modelsearch index --encoder` takes it")
    parser.add_argument("--catalog", type=Path, default=Path("build/emoji_zoo/hands.sqlite"))
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    of = indexed(args.sets, open_encoder(args.encoder, device="cpu"), args.encoder, args.catalog)
    args.out.write_text(json.dumps({"encoder": of.encoder.name} | measured(of), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
