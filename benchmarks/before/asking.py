"""What the mini zoo is asked here, and pictures of it that a user has made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.honesty import questions as asked
from benchmarks.honesty.asking import ask
from benchmarks.honesty.questions import Question
from modelsearch_core.catalog import Catalog
from modelsearch_core.mini_zoo import FOLDER, zoo_models
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


def figures(catalog: Catalog) -> dict[str, float]:
    """MRR by texts and by those pictures that the users have not."""
    with ModelIndex.open(catalog.path, device="cpu") as index:
        by_pictures = [
            Question(query=Query(images=[model.picture(n)]), target=asked.name_of(model))
            for model in zoo_models().values()
            for n in range(USERS, len(model.pictures))
        ]
        return {"text": mrr(index, asked.by_wordings()), "image": mrr(index, by_pictures)}


def mrr(index: ModelIndex, questions: Sequence[Question]) -> float:
    return round(float(np.mean([1 / answer.place for answer in ask(index, questions)])), 3)
