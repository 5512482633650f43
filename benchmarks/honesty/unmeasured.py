"""LoRA of which nothing was generated, beside the measured ones: files with names, some with pictures beside them."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.zoo.built import zoo_models
from benchmarks.zoo.styles import describe, sample_style
from benchmarks.zoo.world import COLOURS, render, sample_scene
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.encoders.phrases import own_list

from .questions import wordings

COUNT = 200
SEED = 70_000
PREVIEWS = 3  # beside a file, at most


def names_of_things() -> list[str]:
    """As people name files: what they show and how, nothing of this world."""
    rng = np.random.default_rng(SEED)
    things, media = own_list("subjects"), own_list("mediums")
    return _distinct(lambda: f"{rng.choice(things)} {rng.choice(media)} v{rng.integers(1, 4)}")


def names_of_this_world() -> list[str]:
    """The zoo's own words: looks that its models might have, and things in colours; none is what a model is asked by."""
    rng = np.random.default_rng(SEED + 1)
    taken = {text for key, model in zoo_models().items() for text in wordings(model, key)}

    def name() -> str:
        look = describe(sample_style(rng), rng)
        return look if rng.random() < 0.5 else f"{rng.choice(list(COLOURS))} {sample_scene(rng).subject}, {look}"

    return _distinct(name, taken)


def _distinct(name: Callable[[], str], taken: Collection[str] = ()) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < COUNT:
        said = name().replace("/", " ")
        if said not in taken:
            found[said] = None
    return list(found)


def write_named(folder: Path, names: list[str]) -> Path:
    """A LoRA file for each name."""
    for number, name in enumerate(names):
        write_lora(folder / f"{name}.safetensors", name, seed=number)
    return folder


def write_shown(folder: Path) -> Path:
    """LoRA with names that say nothing and one to three pictures beside them, each of a look of its own."""
    rng = np.random.default_rng(SEED + 2)
    for number in range(COUNT):
        file = write_lora(folder / f"lora_{number:04}.safetensors", f"lora {number:04}", seed=1000 + number)
        look = sample_style(rng)
        for n in range(int(rng.integers(1, PREVIEWS + 1))):
            picture = Image.fromarray(render(sample_scene(rng), look))
            picture.save(file.with_suffix(".preview.png" if n == 0 else f".{n}.png"))
    return folder


def write_lora(path: Path, title: str, *, seed: int) -> Path:
    """A valid file of kohya's layout with weights that mean nothing."""
    module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    shapes = {f"{module}.lora_down.weight": (2, 96), f"{module}.lora_up.weight": (32, 2)}
    table: dict[str, object] = {"__metadata__": {"modelspec.title": title, "ss_base_model_version": "sd_v1"}}
    end = 0
    for key, shape in shapes.items():
        start, end = end, end + 2 * shape[0] * shape[1]
        table[key] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    header = json.dumps(table).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + np.random.default_rng(seed).bytes(end))
    return path


def beside(catalog: Path, folder: Path, copy: Path) -> Path:
    """A copy of the catalogue with that folder's models too, by words and previews."""
    for ending in ("", "-wal", "-shm"):
        if catalog.with_name(catalog.name + ending).is_file():
            shutil.copy(catalog.with_name(catalog.name + ending), copy.with_name(copy.name + ending))
    modelsearch(["index", str(folder), "--quick", "--catalog", str(copy), "--device", "cpu"])
    return copy
