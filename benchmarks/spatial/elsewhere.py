"""The procedural zoo's pictures, to see what respecting the layout does where it is not the question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.zoo.built import FOLDER, zoo_models
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.cli.evaluate import figures
from modelsearch_core.search import ModelIndex, Query, refining

from .left_right import LAYOUT, with_layout

WEIGHTS = (0.25, 0.5, 1.0, 2.0)  # of the layout


def elsewhere(mini: Path, convnext: Path, work: Path, encoders: dict[str, Any]) -> list[dict[str, Any]]:
    """The procedural zoo's image queries, by layout alone, by `auto`, and by both in several proportions."""
    catalog = work / "procedural_zoo.sqlite"
    copied(mini, catalog)
    words = ["index", str(FOLDER / "models"), "--quick", "--spatial-encoder", str(convnext), "--device", "cpu"]
    modelsearch([*words, "--catalog", str(catalog)])
    with ModelIndex.open(catalog, **encoders) as index:
        asked = [(Query(images=[image]), index.row(name)) for name, image in mini_pictures()]
        rows = [measured(index, asked, method, method) for method in ("auto", "spatial")]
        usual = refining.WEIGHT
        for weight in WEIGHTS:
            refining.WEIGHT = weight
            rows.append(measured(index, asked, LAYOUT, f"{LAYOUT}, weight {weight:g}"))
        refining.WEIGHT = usual
    return rows


def copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def mini_pictures() -> Iterator[tuple[str, Image.Image]]:
    for model in zoo_models().values():
        for number in range(len(model.pictures)):
            yield str(Path(model.name).with_suffix("")), model.picture(number)


def measured(index: ModelIndex, asked: Sequence[tuple[Query, int]], method: str, name: str) -> dict[str, Any]:
    scores = np.stack([index.scores(*with_layout(query, method)) for query, _ in asked])
    return figures(name, scores, np.array([row for _, row in asked]))
