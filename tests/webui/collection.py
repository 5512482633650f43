"""A user's models for a WebUI, indexed with a small CLIP; and a full-size checkpoint that makes noise."""

from __future__ import annotations

import json
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
ODD = "böse Tinte/pïnk mit Lücke"


def make_collection(base: Path) -> Path:
    """LoRA that paint in one colour, one of them in an odd place, and two checkpoints; the catalog's path."""
    loras = base / "models" / "Lora"
    make_folder(loras, COLOURS)
    make_folder(base / "models" / "Stable-diffusion", ["a checkpoint", "grey checkpoint"])
    odd = loras / f"{ODD}.safetensors"
    odd.parent.mkdir()
    (loras / "pink.safetensors").rename(odd)
    (loras / "red.json").write_text(json.dumps({"activation text": "crimson, rough"}), encoding="utf-8")
    catalog = base / "modelsearch" / "catalog.sqlite"
    fill(catalog, [loras, base / "models" / "Stable-diffusion"], clip_folder(base / "clip"))
    return catalog


def painted(colour: str) -> Image.Image:
    """What the LoRA of that colour makes of some probe."""
    return ColourGenerator(size=32).paint(model_file(colour), 3)


def fill(path: Path, folders: Sequence[Path], clip: Path, samples: int = 6) -> None:
    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models, size=32)

    encoder = open_encoder(str(clip), device="cpu")
    engine = Engine(encoder=encoder, encoder_source=str(clip), generator_for=generator_for, draw=lambda image: image)
    path.parent.mkdir(parents=True)
    with Catalog(path) as catalog:
        report = index(catalog, folders, engine, IndexSettings(samples=samples))
    assert not report.failed


def make_full_size(base: Path, loras: int = 2) -> None:
    """A Stable Diffusion 1.5 with random weights (2 GB) and LoRA for it, each twice: a WebUI lists one of two files of
    a name, for some of them not the first."""
    import torch

    from tests.making import stable_diffusion as sd

    torch.manual_seed(0)
    parts = sd.standard_parts("sd15")
    for name, bias in parts.text_encoder.named_parameters():
        if name.endswith("final_layer_norm.bias"):  # WebUIs divide by the mean of a text's features: it may not be 0
            bias.data.fill_(0.1)
    sd.write_single_file(base / "models" / "Stable-diffusion" / "noise.safetensors", parts, plain="0")
    for number in range(loras):
        path = base / "models" / "Lora" / f"noisy {number}.safetensors"
        sd.write_full_kohya(path, parts.unet, rank=2 + number)
        copy = path.parent / ("a first folder" if number % 2 else "z last folder") / path.name
        copy.parent.mkdir()
        copy.hardlink_to(path)
