"""An encoder and a generator whose output can be written down by hand.

The world has `COLOURS`; a picture is one colour with a share of grey, a text is its colour words. Feature axis i is
colour i, the last axis is grey: what every picture and every text has in common.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from modelsearch_core.embedding import Features, unit
from modelsearch_core.errors import InvalidOutputError, MissingBaseError
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.probes import Probe, ProbeSet

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "pink": (255, 0, 255),
}
NAMES = list(COLOURS)
DIMENSION = len(NAMES) + 1


class ColourEncoder:
    """Sees which colours a picture has and which colour words a text has."""

    name = "colours:1"
    dimension = DIMENSION

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return unit(np.array([_of_image(image) for image in images], np.float32).reshape(-1, DIMENSION))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        rows = [[float(name in text.split()) for name in NAMES] + [0.5] for text in texts]
        return unit(np.array(rows, np.float32).reshape(-1, DIMENSION))


class SidesEncoder:
    """Where the colours are: the features of the left half and of the right one, side by side."""

    name = "sides:1"
    dimension = 2 * DIMENSION

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        rows = [[*_of_image(_half(image, 0)), *_of_image(_half(image, 1))] for image in images]
        return unit(np.array(rows, np.float32).reshape(-1, self.dimension)).astype(np.float32)


def _half(image: Image.Image, right: int) -> Image.Image:
    edge = image.width // 2
    return image.crop((right * edge, 0, edge + right * edge, image.height))


def _of_image(image: Image.Image) -> list[float]:
    pixels = np.asarray(image.convert("RGB"), np.float32).reshape(-1, 3) / 255
    shares = [float(np.mean(np.abs(pixels - np.array(rgb) / 255).max(axis=1) < 0.3)) for rgb in COLOURS.values()]
    return [*shares, 0.3]


class ColourGenerator:
    """A LoRA paints its probe's square in the colour of its title; a checkpoint paints it grey. Counts its work."""

    name = "colour generator"

    def __init__(self, models: Sequence[ModelFile] = (), *, broken: Sequence[str] = (), size: int = 16) -> None:
        self.models = models
        self.broken = broken
        self.size = size
        self.asked: list[tuple[str, int]] = []

    def base_of(self, model: ModelFile) -> ModelFile | None:
        if model.kind is not Kind.LORA:
            return None
        bases = [m for m in self.models if m.kind is Kind.CHECKPOINT and m.architecture == model.architecture]
        if not bases:
            raise MissingBaseError(f"{model.path} needs a base of architecture {model.architecture}")
        return bases[0]

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        base = self.base_of(model)
        return ProbeSet(
            probes=tuple(probes),
            width=self.size,
            height=self.size,
            steps=1,
            guidance=1.0,
            sampler="none",
            generator=self.name,
            base=base.fingerprint if base else None,
            lora_weight=1.0 if base else 0.0,
            trigger_words=model.trigger_words,
        )

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        if model.title in self.broken:
            raise InvalidOutputError(f"{model.title} paints black")
        for start in range(0, len(numbers), 4):
            part = list(numbers[start : start + 4])
            self.asked += [(model.title, number) for number in part]
            yield [self.paint(model, number) for number in part]

    def paint(self, model: ModelFile, number: int) -> Image.Image:
        """A grey square of a size that depends on the probe, in a colour if the title has one."""
        picture = Image.new("RGB", (self.size, self.size), (128, 128, 128))
        colours = [COLOURS[word] for word in model.title.split() if word in COLOURS]
        edge = 6 + number % 5
        for turn, colour in enumerate(colours):
            picture.paste(colour, (0, turn * 8, edge, turn * 8 + min(edge, 8)))
        return picture


def model_file(title: str, *, kind: Kind = Kind.LORA, folder: str = "models", **others: object) -> ModelFile:
    """A model that is nowhere on disk."""
    values: dict[str, object] = {
        "path": Path(folder) / f"{title}.safetensors",
        "kind": kind,
        "architecture": "sd15",
        "fingerprint": f"fp-{title}",
        "size": 1000,
        "modified": next(_clock),
        "title": title,
    }
    return ModelFile(**{**values, **others})  # type: ignore[arg-type]  # the values are the fields


_clock = itertools.count(1)
