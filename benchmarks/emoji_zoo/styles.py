"""Style with painters as ground truth: `python -m benchmarks.emoji_zoo.styles`, after `benchmarks.emoji_zoo.picture_sets`.

33 hands (seven emoji artists, 26 painters) show the same 48 scenes, as LoRA do that fill out the same line drawings. A head
is trained on some hands and asked about others (docs/methods.md 7): whether two pictures are of one hand, and whose a
picture of another scene is. Writes benchmarks/results/emoji_styles.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.style.measuring import evaluate
from benchmarks.style.world import World
from modelsearch_core.embedding import Encoder
from modelsearch_core.encoders import open_encoder
from modelsearch_core.training.labels import Labels

from .hands import opened, told
from .subjects import SUBJECTS

RESULT = Path("benchmarks/results/emoji_styles.json")
CATEGORY = "animal"


def world_of(sets: Path, encoder: Encoder) -> World:
    """Pictures of `sets` are what hands learn from and what they are known by, those of `queries` ask."""
    names, scenes = list(told(sets)["models"]), told(sets)["scenes"]
    shown = [*scenes["sets"], *scenes["queries"]]
    files = [
        [
            sets / part / name / f"{number:02d}.webp"
            for part in ("sets", "queries")
            for number in range(len(scenes[part]))
        ]
        for name in names
    ]
    Z = encoder.encode_images([opened(file) for of in files for file in of])
    hand = np.repeat(np.arange(len(names)), len(shown))
    scene = np.tile(np.arange(len(shown)), len(names))
    first, animals = scene < len(scenes["sets"]), np.array([SUBJECTS[s["subject"]] == CATEGORY for s in shown])[scene]
    parts = {"diverse": first, "one category": first & animals, "reference": first, "query": ~first}
    rows = np.concatenate([np.flatnonzero(of) for of in parts.values()])
    which = np.repeat(list(parts), [of.sum() for of in parts.values()])
    return World(Z[rows], Labels(hand[rows], scene[rows]), which, np.ones(len(rows), bool), names)


def measured(sets: Path, encoder: Encoder) -> dict[str, Any]:
    found = evaluate(world_of(sets, encoder))
    del found["table"]["no cleansing"]  # nothing was generated, so there is nothing to cleanse
    return {"encoder": encoder.name} | found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=Path("build/emoji_zoo/picture_sets"), help="of `picture_sets`")
    parser.add_argument("--encoder", default="build/emoji_zoo/clip", help="as `modelsearch index --encoder` takes it")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    found = measured(args.sets, open_encoder(args.encoder, device="cpu"))
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
