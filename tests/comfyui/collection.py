"""A user's models for a ComfyUI: small LoRA files with names of all sorts, indexed with a small CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.encoders import open_encoder
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from tests.indexing.folders import make_folder
from tests.making.clip import clip_folder
from tests.making.fakes import ColourGenerator, model_file

COLOURS = ("red", "green", "blue", "yellow", "pink")


def make_collection(base: Path) -> Path:
    """LoRA that paint in one colour, two of them in odd places, and a checkpoint; the catalog's path."""
    models = base / "models"
    make_folder(models / "loras", COLOURS)
    make_folder(models / "checkpoints", ["grey checkpoint"])
    (models / "loras" / "böse Tinte" / "tief").mkdir(parents=True)
    odd = models / "loras" / "böse Tinte" / "tief" / "pïnk mit Lücke.safetensors"
    (models / "loras" / "pink.safetensors").rename(odd)
    catalog = base / "user" / "__modelsearch" / "catalog.sqlite"
    (base / "input").mkdir()
    for colour in COLOURS:
        painted(colour).save(base / "input" / f"{colour}.png")
    fill(catalog, [models / "loras", models / "checkpoints"], clip_folder(base / "clip"))
    return catalog


def painted(colour: str) -> Image.Image:
    """What the LoRA of that colour makes of some probe."""
    return ColourGenerator(size=32).paint(model_file(colour), 3)


def fill(path: Path, folders: Sequence[Path], clip: Path, samples: int = 6, *, quick: bool = False) -> None:
    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models, size=32)

    encoder = open_encoder(str(clip), device="cpu")
    engine = Engine(encoder=encoder, encoder_source=str(clip), generator_for=generator_for, draw=lambda image: image)
    with Catalog(path) as catalog:
        report = index(catalog, folders, engine, IndexSettings(samples=samples, quick=quick))
    assert not report.failed
