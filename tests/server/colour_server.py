"""Run by tests: the real server on the colour world, whose right answers can be written down.

    python -m tests.server.colour_server FOLDER [--slow SECONDS] [--broken TITLE] [--own-name NAME]

Prints the address as JSON. FOLDER/models are the models, FOLDER/catalog.sqlite the index, or what `--catalog` names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Encoder
from modelsearch_core.indexing import Engine
from modelsearch_core.model_files import ModelFile
from modelsearch_core.panel import Panel
from modelsearch_core.places import catalog_place
from modelsearch_core.probes import ProbeSet
from modelsearch_core.server import LocalHost, Server
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.making.references import plain_references


class SlowGenerator(ColourGenerator):
    """Takes its time over every four pictures, and makes them large enough to be seen."""

    seconds = 0.0

    def paint(self, model: ModelFile, number: int) -> Image.Image:
        return super().paint(model, number).resize((64, 64), Image.Resampling.NEAREST)

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        for images in super().generate(model, probe_set, numbers):
            time.sleep(self.seconds)
            yield images


def engine_with(slow: float, broken: Sequence[str]) -> Callable[[Catalog, Callable[[str], Encoder], bool], Engine]:
    def generator_for(models: Sequence[ModelFile]) -> SlowGenerator:
        generator = SlowGenerator(models, broken=broken)
        generator.seconds = slow
        return generator

    def engine(_: Catalog, open_encoder: Callable[[str], Encoder], style: bool) -> Engine:
        encoder = open_encoder("colours")
        return Engine(
            encoder=encoder,
            encoder_source="colours",
            generator_for=generator_for,
            draw=lambda image: image,
            references=plain_references() if style else None,
        )

    return engine


async def serve(server: Server) -> None:
    await server.run(lambda address: print(json.dumps({"address": address}), flush=True), asyncio.Event())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--catalog", type=catalog_place)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--broken", action="append", default=[])
    parser.add_argument("--own-name", action="append", default=[])
    parser.add_argument("--no-folder", action="store_true")
    parser.add_argument("--pictures", type=Path, action="append", default=[])
    args = parser.parse_args()
    catalog = args.catalog or args.folder / "catalog.sqlite"
    folders = [] if args.no_folder else [args.folder / "models"]
    engine = engine_with(args.slow, args.broken)
    host = LocalHost(catalog, engine, lambda _: ColourEncoder(), folders, pictures=args.pictures)
    asyncio.run(serve(Server(panel=Panel(catalog, host), port=0, own_names=args.own_name)))


if __name__ == "__main__":
    main()
