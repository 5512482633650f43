"""What the procedural zoo is asked: pictures, drawings and words of models that are in it, and of things that are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER, zoo_models
from benchmarks.zoo.styles import FAMILIES, Style
from benchmarks.zoo.world import render, sample_scene
from modelsearch_core import nonsense
from modelsearch_core.background import TEMPLATE, background_texts, imagenet_names
from modelsearch_core.drawing import Draw, outlines
from modelsearch_core.encoders.phrases import own_list
from modelsearch_core.mini_zoo import ZooModel
from modelsearch_core.model_files import ModelFile, scan
from modelsearch_core.search import Query

SEED = 50_000
UNRELATED = 200  # texts


@dataclass(frozen=True, kw_only=True)
class Question:
    """A query, and the name of the model that it is about."""

    query: Query
    target: str


def name_of(model: ZooModel) -> str:
    """By which an index finds it."""
    return str(Path(model.name).with_suffix(""))


def is_checkpoint(name: str) -> bool:
    return name.startswith("menagerie")


def by_pictures() -> list[Question]:
    return [
        Question(query=Query(images=[model.picture(n)]), target=name_of(model))
        for model in zoo_models().values()
        for n in range(len(model.pictures))
    ]


def by_all_pictures() -> list[Question]:
    """All pictures of a model at once."""
    return [
        Question(query=Query(images=[model.picture(n) for n in range(len(model.pictures))]), target=name_of(model))
        for model in zoo_models().values()
    ]


def by_sketches(draw: Draw = outlines) -> list[Question]:
    """But for those on which the drawer has drawn nothing."""
    return [
        Question(query=Query(sketches=[sketch]), target=name_of(model))
        for model in zoo_models().values()
        for n in range(len(model.pictures))
        if not nonsense.of_sketch(sketch := draw(model.picture(n)))
    ]


def by_all_sketches(draw: Draw = outlines) -> list[Question]:
    """All of a model's at once, but for those."""
    drawn: dict[str, list[Image.Image]] = {}
    for question in by_sketches(draw):
        drawn.setdefault(question.target, []).extend(question.query.sketches)
    return [Question(query=Query(sketches=sketches), target=target) for target, sketches in drawn.items()]


def by_texts() -> list[Question]:
    """One description a model, but for those that its file says word by word."""
    return [
        Question(query=Query(text=[model.description]), target=name_of(model))
        for model in zoo_models().values()
        if model.description.casefold() not in stored_words()
    ]


def by_wordings() -> list[Question]:
    """Every way in which the world puts a look, and other ways to ask for a thing; none that a file says itself."""
    return [
        Question(query=Query(text=[text]), target=name_of(model))
        for key, model in zoo_models().items()
        for text in wordings(model, key)
        if text.casefold() not in stored_words()
    ]


@cache
def stored_words() -> frozenset[str]:
    """What the zoo's files say of themselves: titles, descriptions' lines, tags, trigger words."""
    files = [file for file in scan([FOLDER / "models"]) if isinstance(file, ModelFile)]
    said = [[f.title, *f.description.splitlines(), *f.tags, *f.trigger_words] for f in files]
    return frozenset(text.strip().casefold() for texts in said for text in texts)


def wordings(model: ZooModel, key: str) -> list[str]:
    look = look_of(key)
    if look is not None:
        return list(FAMILIES[look.family].words(**look.values))
    thing = model.description.removeprefix("a picture of ")
    return [model.description, thing, f"a drawing of {thing}"]


def look_of(key: str) -> Style | None:
    """A model's style, of those that have one."""
    record: Any = _records()[key]["style"]
    return None if record is None else Style(record["family"], {n: v for n, v in record.items() if n != "family"})


def untaught() -> set[str]:
    """Models whose questions have taught nothing (`fitting`): every second one."""
    return {name_of(model) for number, model in enumerate(zoo_models().values()) if not taught(number)}


def taught(number: int) -> bool:
    """Whether a model's questions teach, or test."""
    return number % 2 == 0


def things_and_looks() -> list[tuple[Image.Image, str, str]]:
    """(picture of a thing in no particular look, look in words, model) of every model that has a look."""
    rng = np.random.default_rng(SEED)
    return [
        (Image.fromarray(render(sample_scene(rng, query=True))), model.description, name_of(model))
        for key, model in zoo_models().items()
        if look_of(key) is not None
    ]


def unrelated_texts() -> list[str]:
    """Names of things that neither a model here nor the background of the index is about."""
    used = set(background_texts())
    names = [TEMPLATE.format(name) for name in imagenet_names()]
    unused = [text for text in names if text not in used]
    chosen = np.random.default_rng(SEED).permutation(len(unused))[:UNRELATED]
    return [unused[n] for n in sorted(chosen)]


def unrelated_prompts() -> list[str]:
    """Prompts as people write them: a thing, a medium, a flavour; media and flavours that are not the background's."""
    rng = np.random.default_rng(SEED + 1)
    parts = [own_list("subjects"), *(own_list(name)[1::2] for name in ("mediums", "flavours"))]
    return [", ".join(str(rng.choice(part)) for part in parts) for _ in range(UNRELATED)]


def together(texts: Sequence[str], count: int) -> list[Query]:
    """`count` texts a query."""
    return [Query(text=texts[n : n + count]) for n in range(0, len(texts) - count + 1, count)]


def _records() -> dict[str, dict[str, dict[str, float | str]]]:
    return json.loads((FOLDER / "world.json").read_text(encoding="utf-8"))["models"]
