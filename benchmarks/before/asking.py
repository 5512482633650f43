"""What the procedural zoo is asked here, and pictures of it that a user has made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.honesty import questions as asked
from benchmarks.honesty.asking import ask
from benchmarks.honesty.questions import Question
from benchmarks.zoo.built import FOLDER, zoo_models
from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Encoder, Features
from modelsearch_core.encoders import open_encoder
from modelsearch_core.search import ModelIndex, Query
from tests.making.user_pictures import WRITERS, Made

USERS = 3  # of a model's six pictures that its user has made; the others ask


def save_outputs(folder: Path) -> None:
    """Pictures as the programs save them, turn by turn."""
    programs = list(WRITERS.values())
    for turn, model in enumerate(zoo_models().values()):
        name = Path(asked.name_of(model)).name
        is_lora = (FOLDER / "models" / "loras" / model.name).exists()
        for number in range(USERS):
            made = Made(
                prompt=f"picture {number} of {name}",
                checkpoint="base" if is_lora else name,
                loras={name: 1.0} if is_lora else {},
                seed=number,
            )
            picture = model.picture(number)
            programs[(turn + number) % len(programs)](picture, folder / f"{turn:03}_{number}.png", made)


class Remembering:
    """An encoder that encodes nothing twice: the same questions are asked of many catalogs."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dimension = encoder.name, encoder.dimension
        self._known: dict[str | bytes, Features] = {}

    def encode_texts(self, texts: Sequence[str]) -> Features:
        return self._of(list(texts), texts, self._encoder.encode_texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return self._of([image.tobytes() for image in images], images, self._encoder.encode_images)

    def _of(self, keys: Sequence[str | bytes], inputs: Sequence[Any], encode: Callable[[Any], Features]) -> Features:
        new = {key: each for key, each in zip(keys, inputs, strict=True) if key not in self._known}
        if new:
            self._known |= zip(new, encode(list(new.values())), strict=True)
        return np.array([self._known[key] for key in keys])


@cache
def remembering() -> Remembering:
    return Remembering(open_encoder(str(FOLDER / "clip"), device="cpu"))


def figures(catalog: Catalog) -> dict[str, float]:
    """MRR by texts and by those pictures that the users have not."""
    with ModelIndex.open(catalog.path, encoder=remembering(), device="cpu") as index:
        by_pictures = [
            Question(query=Query(images=[model.picture(n)]), target=asked.name_of(model))
            for model in zoo_models().values()
            for n in range(USERS, len(model.pictures))
        ]
        return {"text": mrr(index, asked.by_wordings()), "image": mrr(index, by_pictures)}


def mrr(index: ModelIndex, questions: Sequence[Question]) -> float:
    return round(float(np.mean([1 / place for place in places(index, questions)])), 3)


def places(index: ModelIndex, questions: Sequence[Question]) -> list[int]:
    """Where the right model stands, from 1."""
    return [answer.place for answer in ask(index, questions)]
