"""What LoRA paint over line drawings of scenes that no training has seen, as features with labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.zoo.subjects import BASE_SUBJECTS
from benchmarks.zoo.world import render, sample_scene
from modelsearch_core.drawing import WITHOUT_WEIGHTS
from modelsearch_core.embedding import Encoder, Features
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.model_files import Kind, ModelFile, scan
from modelsearch_core.reference_set import ReferenceSet, cleansed
from modelsearch_core.training.labels import Labels

SETS = {"diverse": 30, "one category": 30, "reference": 30, "query": 10}
CATEGORY = "cat"


@dataclass(frozen=True)
class World:
    """Features (N, D) of all pictures, which LoRA painted which subject, the set of each subject, and what cleansing keeps."""

    Z: Features
    labels: Labels
    sets: np.ndarray  # (N,) of names
    kept: np.ndarray  # (N,)
    names: list[str]


def scenes() -> dict[str, Image.Image]:
    """Unstyled pictures of the zoo's world, by set and number; none is in any training."""
    rng = np.random.default_rng(20_240)
    pictures: dict[str, Image.Image] = {}
    for name, count in SETS.items():
        subjects = (CATEGORY,) if name == "one category" else tuple(BASE_SUBJECTS)
        for number in range(count):
            picture = Image.fromarray(render(sample_scene(rng, subjects, query=True)))
            pictures[f"{name}:{number}"] = picture
    return pictures


def references_of(pictures: dict[str, Image.Image]) -> ReferenceSet:
    """At the pictures' own size: the tiny models paint 64 pixels."""
    drawer = WITHOUT_WEIGHTS["outlines"]
    subjects = tuple(pictures.values())
    return ReferenceSet(
        names=tuple(pictures), subjects=subjects, drawings=tuple(map(drawer, subjects)), drawer=drawer.name
    )


def painted(
    references: ReferenceSet, models: list[ModelFile], settings: GeneratorSettings, kept: Path
) -> Iterator[tuple[ModelFile, np.ndarray]]:
    """Each model's pictures (S, h, w, 3), painted now or before."""
    generator = DiffusersGenerator(models, settings, references)
    order = [*(m for m in models if m.kind is Kind.CHECKPOINT), *(m for m in models if m.kind is Kind.LORA)]
    for model in order:
        probe_set = generator.plan(model, references.probes)
        path = kept / f"{model.fingerprint[:16]}-{probe_set.digest[:16]}.npy"
        if not path.is_file():
            numbers = list(range(len(references.probes)))
            images = [image for batch in generator.generate(model, probe_set, numbers) for image in batch]
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path.with_suffix(".part.npy"), np.stack([np.asarray(image) for image in images]))
            path.with_suffix(".part.npy").replace(path)
            print(f"painted: {model.path.stem}", flush=True)
        yield model, np.load(path)


def world_of(references: ReferenceSet, arrays: dict[str, np.ndarray], encoder: Encoder) -> World:
    S = len(references.names)
    Z = [encoder.encode_images([Image.fromarray(a) for a in pictures]) for pictures in arrays.values()]
    kept = [cleansed([Image.fromarray(a) for a in p], references.subjects) for p in arrays.values()]
    labels = Labels(np.repeat(np.arange(len(arrays)), S), np.tile(np.arange(S), len(arrays)))
    sets = np.array([name.partition(":")[0] for name in references.names])
    return World(np.concatenate(Z), labels, np.tile(sets, len(arrays)), np.concatenate(kept), list(arrays))


def models_of(folder: Path) -> list[ModelFile]:
    found = [file for file in scan([folder]) if isinstance(file, ModelFile)]
    base = next(file for file in found if file.path.name == "base")
    return [base, *(file for file in found if file.kind is Kind.LORA)]
