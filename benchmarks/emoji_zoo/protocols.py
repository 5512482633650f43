"""What the defaults find in a world that none of them was chosen on: `python -m benchmarks.emoji_zoo.protocols`.

Indexes the zoo as a user would, asks by held-out pictures, by line drawings of several drawers, by words near to the
captions and far from them, and for one of the checkpoints by one picture. Intervals of 95 % are by bootstrap over models.
Writes benchmarks/results/emoji_zoo.json; the page is made by `python -m benchmarks.emoji_zoo.page`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelsearch_core import nonsense
from modelsearch_core.cli import main as modelsearch
from modelsearch_core.drawing import Draw, canny, fine_outlines, outlines, pencil
from modelsearch_core.mini_zoo import ZooModel, zoo_models
from modelsearch_core.model_files import Kind
from modelsearch_core.search import ModelIndex, Query

from . import strokes, varied, vocabulary, wordings
from .asking import Asked, Rows

RESULT = Path("benchmarks/results/emoji_zoo.json")
PICTURES = (
    "auto", "first_moment", "monte_carlo", "best_k", "gaussian", "second_moment", "paired_difference",
    "kernel_mean", "rkme_clip",
)  # fmt: skip
DRAWN = ("auto", "first_moment", "gaussian", "drawn_first_moment", "drawn_gaussian")
WORDS = ("auto", "first_moment", "monte_carlo", "best_k", "paired_difference")
VARIED = ("auto", "first_moment", "gaussian")
ONE_IMAGE = ("auto", "kernel_mean", "rkme_clip", "first_moment", "gaussian")
DRAWERS: dict[str, Draw] = {
    "the index's own drawer (outlines)": outlines,
    "pencil": pencil,
    "canny": canny,
    "fine outlines": fine_outlines,
}


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

    def __init__(self, zoo: Path, index: ModelIndex, packages: Path) -> None:
        self.zoo, self.packages, self.index, self.models = zoo, packages, index, zoo_models(zoo)
        self.rows = {key: index.row(str(Path(model.name).with_suffix(""))) for key, model in self.models.items()}
        self._by_stem = {Path(model.name).stem: self.rows[key] for key, model in self.models.items()}

    def pictures(self, keys: Sequence[str] = ()) -> Asked:
        return self._of(lambda picture: Query(images=[picture]), keys)

    def sketches(self, draw: Draw) -> Asked:
        return self._of(lambda picture: _sketch(draw(picture)))

    def strokes(self) -> Asked:
        """Drawings by hand of things; they ask for the LoRA of the thing, or the checkpoint of things of its kind."""
        asked = [
            (strokes.drawn(subject, drawer), stem)
            for subject, stem in strokes.wanted().items()
            for drawer in range(strokes.DRAWERS)
        ]
        return Asked([Query(sketches=[drawing]) for drawing, _ in asked], self._rows_of(stem for _, stem in asked))

    def varied(self) -> Asked:
        """Of LoRA of one thing, pictures before a background each."""
        asked = [(picture, stem) for stem, pictures in varied.pictures(self.zoo).items() for picture in pictures]
        return Asked([Query(images=[picture]) for picture, _ in asked], self._rows_of(stem for _, stem in asked))

    def texts(self, texts: dict[str, list[str]]) -> Asked:
        asked = list(wordings.flat(texts))
        return Asked([Query(text=[text]) for _, text in asked], self._rows_of(stem for stem, _ in asked))

    def _rows_of(self, stems: Iterable[str]) -> Rows:
        return np.array([self._by_stem[stem] for stem in stems], np.intp)

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


def by_pictures(world: World) -> dict[str, Any]:
    asked = world.pictures()
    return {"queries": len(asked.queries), "pictures": asked.figures(world.index, PICTURES)}


def by_things(world: World) -> dict[str, Any]:
    """LoRA of one thing by their held-out pictures, and by others before a background each."""
    return {
        "one background": world.pictures(sorted(varied.plans())).figures(world.index, VARIED),
        "a background each": world.varied().figures(world.index, VARIED),
    }


def by_strokes(world: World) -> dict[str, Any]:
    asked = world.strokes()
    return {"strokes": asked.figures(world.index, DRAWN), "drawings": len(asked.queries)}


def by_words(world: World) -> dict[str, Any]:
    texts = {
        "words of the captions": wordings.captions(),
        "other names of the look": wordings.other_names(),
        "a word that captions were spared": wordings.tags(world.packages),
        "our own words": wordings.own(),
    }
    return {
        "texts": {name: world.texts(of).figures(world.index, WORDS) for name, of in texts.items()},
        "asked": {name: sum(map(len, of.values())) for name, of in texts.items()},
        "words": len(vocabulary.words_of(world.zoo / "clip")),
    }


def by_one_image(world: World) -> dict[str, Any]:
    checkpoints = world.checkpoints()
    among = np.array(sorted(world.rows[key] for key in checkpoints))
    figures = world.pictures(checkpoints).figures(world.index, ONE_IMAGE, among)
    return {"checkpoints": len(checkpoints), "one image": figures}


def categories(world: World) -> dict[str, dict[str, dict[str, float]]]:
    """Which sorts of models are found by pictures, by the default."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for category in dict.fromkeys(model.category for model in world.models.values()):
        keys = [key for key, model in world.models.items() if model.category == category]
        found[category] = world.pictures(keys).figures(world.index, ("auto",))["auto"]
    return found


def near_the_base(world: World) -> dict[str, float]:
    """By sort of models, how alike their pictures and the base's of the same probe and seed are: the mean cosine."""
    rows = np.array([*world.rows.values(), world.index.row("base")], np.intp)
    *kept, base = (
        dict(zip(of.numbers.tolist(), of.Z, strict=True)) for of in world.index.collection.specifications(rows)
    )
    found: dict[str, list[float]] = {}
    for model, own in zip(world.models.values(), kept, strict=True):
        cosines = [float(own[number] @ base[number]) for number in own.keys() & base.keys()]
        found.setdefault(model.category, []).extend(cosines)
    return {category: round(float(np.mean(cosines)), 4) for category, cosines in found.items()}


PARTS: dict[str, Callable[[World], dict[str, Any]]] = {
    "pictures": by_pictures,
    "categories": lambda world: {"categories": categories(world)},
    "base": lambda world: {"near the base": near_the_base(world)},
    "things": by_things,
    "sketches": lambda world: {
        "sketches": {name: world.sketches(draw).figures(world.index, DRAWN) for name, draw in DRAWERS.items()}
    },
    "strokes": by_strokes,
    "texts": by_words,
    "one image": by_one_image,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=Path("mini_zoo"))
    parser.add_argument("--work", type=Path, default=Path("build/emoji_zoo"), help="where the packages are kept")
    parser.add_argument("--catalog", type=Path, default=Path("build/emoji_zoo.sqlite"))
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="others stay as they were")
    args = parser.parse_args()
    found = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {}
    with ModelIndex.open(indexed(args.zoo, args.catalog, args.samples), device="cpu") as index:
        found |= {"samples": args.samples, "models": len(index.collection)}
        world = World(args.zoo, index, args.work / "npm")
        for part in args.parts:
            found |= PARTS[part](world)
            args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
