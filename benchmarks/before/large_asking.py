"""What the benchmark zoo is asked: each LoRA by its description and by held-out pictures; and pictures of its users."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.honesty.questions import Question
from modelsearch_core.catalog import Catalog
from modelsearch_core.search import ModelIndex, Query
from tests.making.user_pictures import WRITERS, Made

from .asking import USERS, mrr, remembering

ASKING = 2  # held-out pictures of each that ask; the first `USERS` are its user's


class Questions:
    """Of the LoRA with held-out pictures."""

    def __init__(self, zoo: Path) -> None:
        self._zoo = zoo
        self._names = sorted(path.stem for path in zoo.glob("queries/*.npz"))

    @cached_property
    def _pictures(self) -> dict[str, list[Image.Image]]:
        found: dict[str, list[Image.Image]] = {}
        for name in self._names:
            with np.load(self._zoo / "queries" / f"{name}.npz") as kept:
                found[name] = [Image.fromarray(pixels) for pixels in kept["pictures"][: USERS + ASKING]]
        return found

    @cached_property
    def texts(self) -> list[Question]:
        records = {name: self._zoo / "records" / f"{name}.json" for name in self._names}
        told = {name: json.loads(path.read_text("utf-8"))["description"] for name, path in records.items()}
        return [Question(query=Query(text=[text]), target=name) for name, text in told.items()]

    @cached_property
    def pictures(self) -> list[Question]:
        return [
            Question(query=Query(images=[picture]), target=name)
            for name, pictures in self._pictures.items()
            for picture in pictures[USERS:]
        ]

    def figures(self, catalog: Catalog) -> dict[str, float]:
        """Mean reciprocal rank."""
        with ModelIndex.open(catalog.path, encoder=remembering(), device="cpu") as index:
            return {"text": mrr(index, self.texts), "image": mrr(index, self.pictures)}

    def save_outputs(self, folder: Path) -> None:
        """Pictures of each as the programs save them, turn by turn."""
        programs = list(WRITERS.values())
        for turn, (name, pictures) in enumerate(self._pictures.items()):
            for number, picture in enumerate(pictures[:USERS]):
                made = Made(prompt=f"picture {number} of {name}", checkpoint="base", loras={name: 1.0}, seed=number)
                programs[(turn + number) % len(programs)](picture, folder / f"{turn:03}_{number}.png", made)
