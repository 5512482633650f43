"""docs/results_mini_zoo.md from what was measured: `python -m benchmarks.emoji_zoo.page`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .hand_drawings import DRAWINGS

RESULTS, PAGE = Path("benchmarks/results"), Path("docs/results_mini_zoo.md")
Interval = Mapping[str, float]

HEAD = """# The mini zoo: a test that nothing was tuned on

Made by `python -m benchmarks.emoji_zoo.page` from `benchmarks/results/`; no figure here is typed by hand. The bundled zoo
({models} models: LoRA of emoji artists, painters, things and tints, checkpoints of categories, their base) was indexed with {samples} pictures a
model and asked by the defaults as they were. All of them had been chosen on the [procedural zoo](results.md); none was
changed after this was seen. The one thing that was is the text tower of the zoo's own CLIP, which had not known the words: what it
found before stands beside what it finds now. In brackets: 95 % by bootstrap over models. Chance is {chance:.3f} for top-1.

## Pictures

{queries} pictures that the models made of scenes and seeds which no training and no probe has. Beside it the procedural zoo's, where
the defaults come from, as `benchmarks/procedural_zoo_results.py` measured it last, some changes of `auto` ago.

| method | top-1 | top-5 | MRR | *procedural:* top-1 | MRR |
|---|---|---|---|---|---|
"""
CATEGORIES = """
By what a model is, by the default; and the mean cosine of its pictures with the base's of the same probe and seed: emoji artists'
LoRA hardly move what the base draws, so that one picture says little of them.

| models | top-1 | top-5 | MRR | cosine with the base |
|---|---|---|---|---|
"""
VARIED = """
The six pictures of a LoRA of one thing show it before one background or two, which nothing else of it has: its background may be
what is found. Beside them, pictures of other seeds with a background each, which its training has seen with the thing:

| pictures of LoRA of one thing | method | top-1 | top-5 | MRR |
|---|---|---|---|---|
"""
SKETCHES = """
## Sketches

The line drawings of the same pictures, by the drawer that the index uses and by others; and {strokes} drawings of {subjects} things as
a hand draws them in half a minute (`benchmarks/emoji_zoo/strokes.py`), of which each wants the LoRA of its thing, or the checkpoint of
things of its kind.

| drawer | method | top-1 | top-5 | MRR |
|---|---|---|---|---|
"""
TEXTS = """
## Words

What models are called, from near to what their encoder has read to far from it: the look as captions put it; its other
name, which captions have too; the one word for a thing that all captions were spared; and words of ours ("like van gogh",
"jurassic reptile"), as no caption and no file puts it, though some have a word of a caption; written before anything was measured.

Before: the text tower as it was trained beside the image tower. Now: the same with {words} words in place of {words_before}, taught that a plain
text means what the captions' phrases mean that MiniLM finds nearest to it (`benchmarks/emoji_zoo/teaching.py`), beside captions; the image
tower, and with it every index and every figure of pictures, is the same. Steps and weights were chosen on other wordings
(`chosen_on.py`). No text of the last two sorts was taught as it stands, and no thing was told by the word that its captions were spared,
though the tower that this began from had read these words in phrases without pictures; single words of ours are in the general
vocabulary and were taught among others.

| words | texts | method | *before:* top-1 | top-5 | MRR | top-1 | top-5 | MRR |
|---|---|---|---|---|---|---|---|---|
"""
ONE_IMAGE = """
## One image

Which of the {checkpoints} checkpoints made a picture. Chance is {chance:.2f}.

| method | top-1 | MRR |
|---|---|---|
"""
HANDS = """
## Hands: pictures of artists and painters as models

{hands} sets of pictures of the same scenes, seven emoji artists' and 26 painters', indexed by `modelsearch index --picture-sets` as anybody's
would be: pictures alone, without prompts, base or drawings. Asked are pictures of other scenes, by what they show and for their style
(`modelsearch search --style 1`), their line drawings, and two names of each. The first rows are the defaults; `kernel_mean` weighs by prompts, of which there are none.

| asked by | method | top-1 | top-5 | MRR |
|---|---|---|---|---|
"""
STYLES = """
## Style

The same hands by the protocol of Vu et al.: a linear head is trained on some hands and asked about {unseen} that it never saw,
in four folds: are two pictures of one hand (F1, always saying so is .667), and whose is a picture of another scene (MRR).

| | F1 | precision | recall | MRR | MRR among all {loras} |
|---|---|---|---|---|---|
"""


def page(results: Path = RESULTS) -> str:
    zoo, first, hands, styles, before = (
        _read(results / f"{name}.json")
        for name in ("emoji_zoo", "emoji_zoo_before", "emoji_hands", "emoji_styles", "procedural_zoo")
    )
    old = {row["method"]: row for row in before["tables"]["image"]}
    head = HEAD.format(models=zoo["models"], samples=zoo["samples"], queries=zoo["queries"], chance=1 / zoo["models"])
    parts = [head, *(_beside(name, of, old.get(name)) for name, of in zoo["pictures"].items())]
    parts += [CATEGORIES]
    for name, of in zoo["categories"].items():
        parts += [f"| {name} {_cells(of, 'top1', 'top5', 'mrr').rstrip()} {zoo['near the base'][name]:.2f} |\n"]
    parts += [VARIED, *_rows({name: zoo[name] for name in ("one background", "a background each")})]
    parts += [SKETCHES.format(strokes=zoo["drawings"], subjects=len(DRAWINGS))]
    parts += _rows(zoo["sketches"] | {"hand-like strokes": zoo["strokes"]})
    parts += [TEXTS.format(words=zoo["words"], words_before=first["words"])]
    for words, methods in zoo["texts"].items():
        for method, of in methods.items():
            was = _cells(first["texts"][words][method], "top1", "top5", "mrr").removesuffix("|\n")
            parts.append(f"| {words} | {zoo['asked'][words]} | {method} {was}{_cells(of, 'top1', 'top5', 'mrr')}")
    parts += [ONE_IMAGE.format(checkpoints=zoo["checkpoints"], chance=1 / zoo["checkpoints"])]
    parts += [f"| {method} {_cells(of, 'top1', 'mrr')}" for method, of in zoo["one image"].items()]
    parts += [HANDS.format(hands=hands["hands"])]
    parts += _rows({part: hands[part] for part in ("pictures", "pictures, for their style", "sketches", "texts")})
    parts += [STYLES.format(unseen=styles["unseen"], loras=styles["loras"])]
    for name, row in styles["table"].items():
        figures = " | ".join(f"{row[key]:.3f}" for key in ("f1", "precision", "recall", "mrr", "mrr_among_all"))
        parts.append(f"| {name} | {figures} |\n")
    return "".join(parts)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _beside(name: str, of: Mapping[str, Interval], other: Mapping[str, float] | None) -> str:
    there = f"{other['top1']:.3f} | {other['mrr']:.3f} |" if other else "| |"
    return f"| {name} {_cells(of, 'top1', 'top5', 'mrr').rstrip()} {there}\n"


def _rows(tables: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> list[str]:
    return [
        f"| {name} | {method} {_cells(of, 'top1', 'top5', 'mrr')}"
        for name, methods in tables.items()
        for method, of in methods.items()
    ]


def _cells(of: Mapping[str, Interval], *keys: str) -> str:
    return "| " + " | ".join(_shown(of[key]) for key in keys) + " |\n"


def _shown(interval: Interval) -> str:
    return f"{interval['value']:.3f} ({interval['low']:.2f}–{interval['high']:.2f})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
