"""How well the defaults tell hands apart that nothing was tuned on: `python -m benchmarks.emoji_zoo.hands`.

Seven emoji artists and 26 painters stand for models: `modelsearch index --picture-sets` takes the folders of their pictures
(`picture_sets`), and the same search as any other's asks for them: by pictures of other scenes, alone and for their style, by
line drawings of these, and by what people call each hand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelsearch_core.cli import main as modelsearch
from modelsearch_core.drawing import outlines
from modelsearch_core.search import ModelIndex, Query

from .asking import Asked

PICTURES = ("auto", "first_moment", "monte_carlo", "best_k", "gaussian", "kernel_mean", "rkme_clip")
STYLE = ("auto",)
SKETCHES = ("auto", "first_moment", "monte_carlo", "best_k", "gaussian")
TEXTS = ("auto", "first_moment", "monte_carlo", "best_k")
RESULT = Path("benchmarks/results/emoji_hands.json")


def opened(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def told(sets: Path) -> dict[str, Any]:
    return json.loads((sets / "sets.json").read_text(encoding="utf-8"))


def indexed(sets: Path, encoder: str, catalog: Path) -> Path:
    """As a user would."""
    words = ["index", "--picture-sets", sets / "sets", "--encoder", encoder, "--catalog", catalog, "--device", "cpu"]
    if status := modelsearch([str(word) for word in words]):
        raise SystemExit(status)
    return catalog


def measured(sets: Path, index: ModelIndex) -> dict[str, Any]:
    hands = told(sets)["models"]
    rows = {name: index.row(name) for name in hands}
    texts = [(rows[name], text) for name, hand in hands.items() for text in hand["words"]]
    by_text = Asked([Query(text=[text]) for _, text in texts], np.array([row for row, _ in texts], np.intp))
    of_style = _of_pictures(sets, rows, lambda picture: Query(images=[picture], style=1.0))
    return {
        "hands": len(rows),
        "pictures": _of_pictures(sets, rows, lambda picture: Query(images=[picture])).figures(index, PICTURES),
        "pictures, for their style": of_style.figures(index, STYLE),
        "sketches": _of_pictures(sets, rows, _sketch).figures(index, SKETCHES),
        "texts": by_text.figures(index, TEXTS),
    }


def _sketch(picture: Image.Image) -> Query:
    return Query(sketches=[outlines(picture)])


def _of_pictures(sets: Path, rows: dict[str, int], query: Callable[[Image.Image], Query]) -> Asked:
    files = [(row, file) for name, row in rows.items() for file in sorted((sets / "queries" / name).glob("*.webp"))]
    return Asked([query(opened(file)) for _, file in files], np.array([row for row, _ in files], np.intp))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=Path("build/emoji_zoo/picture_sets"), help="of `picture_sets`")
    parser.add_argument("--encoder", default="mini_zoo/clip", help="as `modelsearch index --encoder` takes it")
    parser.add_argument("--catalog", type=Path, default=Path("build/emoji_zoo/hands.sqlite"))
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with ModelIndex.open(indexed(args.sets, args.encoder, args.catalog), device="cpu") as index:
        found = {"encoder": index.encoder.name} | measured(args.sets, index)
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
