"""What the defaults find in a world that none of them was chosen on: `python -m benchmarks.emoji_zoo.protocols`.

Indexes the zoo as a user would, asks by held-out pictures, by line drawings of several drawers, by words near to the
captions and far from them, and for one of the checkpoints by one picture. Intervals of 95 % are by bootstrap over models.
Writes benchmarks/results/emoji_zoo.json; the page is made by `python -m benchmarks.emoji_zoo.page`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelsearch_core import nonsense
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.drawing import Draw, canny, fine_outlines, outlines, pencil
from modelsearch_core.mini_zoo import ZooModel, zoo_models
from modelsearch_core.model_files import Kind
from modelsearch_core.search import ModelIndex, Query

from . import wordings
from .hands import figures

RESULT = Path("benchmarks/results/emoji_zoo.json")
PICTURES = (
    "auto", "first_moment", "monte_carlo", "best_k", "gaussian", "second_moment", "paired_difference",
    "kernel_mean", "rkme_clip",
)  # fmt: skip
DRAWN = ("auto", "first_moment", "gaussian", "drawn_first_moment", "drawn_gaussian")
WORDS = ("auto", "first_moment", "monte_carlo", "best_k", "paired_difference")
ONE_IMAGE = ("auto", "kernel_mean", "rkme_clip", "first_moment", "gaussian")
DRAWERS: dict[str, Draw] = {
    "the index's own drawer (outlines)": outlines,
    "pencil": pencil,
    "canny": canny,
    "fine outlines": fine_outlines,
}
Scores = NDArray[np.floating]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Asked:
    """Queries, and the row of the model that each is about."""

    queries: list[Query]
    rows: Rows

    def figures(
        self, index: ModelIndex, methods: Sequence[str], among: Rows | None = None
    ) -> dict[str, dict[str, dict[str, float]]]:
        """Of each method; `among` (m,): rows of the models that may answer."""
        found: dict[str, dict[str, dict[str, float]]] = {}
        for method in methods:
            scores = np.stack([index.scores(query, method) for query in self.queries])
            if among is None:
                found[method] = figures(scores, self.rows)
            else:
                found[method] = figures(scores[:, among], np.searchsorted(among, self.rows))
        return found


def indexed(zoo: Path, catalog: Path, samples: int) -> Path:
    words = ["index", zoo / "models", "--encoder", zoo / "clip", "--prompts", zoo / "prompts.txt"]
    status = modelsearch(
        [str(word) for word in [*words, "--samples", samples, "--catalog", catalog, "--device", "cpu"]]
    )
    if status:
        raise SystemExit(status)
    return catalog


class World:
    """The zoo and its index."""

    def __init__(self, zoo: Path, index: ModelIndex) -> None:
        self.index, self.models = index, zoo_models(zoo)
        self.rows = {key: index.row(str(Path(model.name).with_suffix(""))) for key, model in self.models.items()}
        self._by_stem = {Path(model.name).stem: self.rows[key] for key, model in self.models.items()}

    def pictures(self, keys: Sequence[str] = ()) -> Asked:
        return self._of(lambda picture: Query(images=[picture]), keys)

    def sketches(self, draw: Draw) -> Asked:
        return self._of(lambda picture: _sketch(draw(picture)))

    def texts(self, texts: dict[str, list[str]]) -> Asked:
        asked = list(wordings.flat(texts))
        return Asked([Query(text=[text]) for _, text in asked], np.array([self._by_stem[stem] for stem, _ in asked]))

    def checkpoints(self) -> list[str]:
        entries = self.index.collection.entries
        return [key for key, row in self.rows.items() if entries[row].kind is Kind.CHECKPOINT and key != "base"]

    def _of(self, query: Callable[[Image.Image], Query | None], keys: Sequence[str] = ()) -> Asked:
        some: list[tuple[str, ZooModel]] = [(key, self.models[key]) for key in keys or self.models]
        asked = [
            (self.rows[key], found)
            for key, model in some
            for number in range(len(model.pictures))
            if (found := query(model.picture(number))) is not None
        ]
        return Asked([query for _, query in asked], np.array([row for row, _ in asked]))


def _sketch(drawn: Image.Image) -> Query | None:
    """None where the drawer has drawn nothing."""
    return None if nonsense.of_sketch(drawn) else Query(sketches=[drawn])


def measured(zoo: Path, index: ModelIndex, packages: Path) -> dict[str, Any]:
    world = World(zoo, index)
    texts = {
        "words of the captions": wordings.captions(),
        "other names of the look": wordings.other_names(),
        "a word that captions were spared": wordings.tags(packages),
        "our own words": wordings.own(),
    }
    checkpoints = world.checkpoints()
    among = np.array(sorted(world.rows[key] for key in checkpoints))
    by_pictures = world.pictures()
    return {
        "models": len(index.collection),
        "queries": len(by_pictures.queries),
        "pictures": by_pictures.figures(index, PICTURES),
        "categories": categories(world),
        "sketches": {name: world.sketches(draw).figures(index, DRAWN) for name, draw in DRAWERS.items()},
        "texts": {name: world.texts(of).figures(index, WORDS) for name, of in texts.items()},
        "asked": {name: sum(map(len, of.values())) for name, of in texts.items()},
        "checkpoints": len(checkpoints),
        "one image": world.pictures(checkpoints).figures(index, ONE_IMAGE, among),
    }


def categories(world: World) -> dict[str, dict[str, dict[str, float]]]:
    """Which sorts of models are found by pictures, by the default."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for category in dict.fromkeys(model.category for model in world.models.values()):
        keys = [key for key, model in world.models.items() if model.category == category]
        found[category] = world.pictures(keys).figures(world.index, ("auto",))["auto"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=Path("mini_zoo"))
    parser.add_argument("--work", type=Path, default=Path("build/emoji_zoo"), help="where the packages are kept")
    parser.add_argument("--catalog", type=Path, default=Path("build/emoji_zoo.sqlite"))
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with ModelIndex.open(indexed(args.zoo, args.catalog, args.samples), device="cpu") as index:
        found = {"samples": args.samples} | measured(args.zoo, index, args.work / "npm")
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
