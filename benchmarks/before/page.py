"""docs/results_before.md, from what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import large_page
from .validity import table

ROOT = Path(__file__).resolve().parents[2]
RESULT, PAGE = ROOT / "benchmarks" / "results" / "before.json", ROOT / "docs" / "results_before.md"
LARGE = RESULT.with_name("before_large.json")

PICTURES = """# What is found before anything is generated

Measured by `python -m benchmarks.before` on the procedural zoo (24 LoRA, three checkpoints and their base).

## Pictures that users have made

Three pictures of each model, of prompts and seeds that no probe has, saved as five programs save them, in the place of 64
generated ones. Asked are texts in several wordings, and three other pictures of each. Mean reciprocal rank; chance is .14.

| evidence | texts | pictures |
|---|---|---|
"""

WORTH = """
What each evidence is worth beside generated pictures: how far the scores of models that have both agree for unrelated queries (ρ, as
`search/weighing.py` measures it in every collection). Users' pictures: of as many as one likes, where they are of all subjects, as here;
so the default there is lower. Weights: predicted without the model itself.

| evidence | texts | pictures | sketches |
|---|---|---|---|
"""

TASTE = """
## Pictures of a taste, beside generated ones

Half of what was generated of each model stands for pictures that its user has made, as far as they show one of the seven
subjects (of fourteen) that this user likes: 16 on average. Of the other half, the first 8, 16 or 32 were generated. Mean
reciprocal rank, over two draws of who likes what. How much a user's picture counts was chosen by one half of the models
(*chosen by*); the other half is asked besides.

| generated | pictures | texts: chosen by | others | pictures: chosen by | others |
|---|---|---|---|---|---|
"""

WEIGHTS = """
## What weights say

The cosine of two LoRA's sketches of ΔW, compared with the cosine of the directions in which they change pictures; and for how many
LoRA the nearest by weights is among the three nearest by pictures (chance is 3 of 23).

| layers | Pearson | Spearman | nearest among three |
|---|---|---|---|
"""

VALIDITY = """
## Guesses by how many were generated

Mean cosine of the direction that kernel ridge regression predicts with the true one, of the LoRA that were not generated, over forty draws
of those that were; which layers count, and with which penalty. *Weights of groups learned*: how much each group counts, by leave-one-out.

"""

KIN = """
## Merges and epochs

{pairs} pairs of the {of} LoRA were merged in three ways, as sum of their updates (of the sum of the ranks), and that cut to rank 4.
*Found*: named as a merge of just these two, of {of} LoRA that lie beside. Of the {of} themselves {taken} are taken for merges.

| merged | found |
|---|---|
"""

EPOCHS = """
Two LoRA were trained again and kept after every forty of 120 steps. Cosine of what they change with the last one, and how many times as
much the last one changes; strangers' cosines stay below .4, and epochs of one training are found from .6 on.

| trained | 40 steps: cosine | the last changes | 80 steps: cosine | the last changes | taken for merges |
|---|---|---|---|---|---|
"""

GUESSES = """
## Guessing the others' pictures by their weights

So many of the 24 LoRA were generated, drawn at random twelve times; texts and pictures ask about the others, which are known by
their words alone, or also by what kernel ridge regression makes of their weights. It is used where it beats the mean of the known
ones by two standard errors when each is left out in turn (*used*: in which share of the draws). Mean reciprocal rank among all 28.
What is guessed helps pictures that ask, once most LoRA were generated; texts it does not help here.

| generated | texts: words | and weights | pictures: words | and weights | used |
|---|---|---|---|---|---|
"""


CURVE = """
## What to generate next

After so much of all pictures (64 of each of the 28 models): one model after the other by their paths, 64 pictures each; 8 of all, then
32, then 64, in the order of indexing (farthest-first by weights and words within a base); and this with three pictures of each model
that users have made. Mean reciprocal rank of texts and of pictures.

"""
COST = """
What that costs in processor seconds, the encoder's apart: {picture:.2f} for a picture (64 pixels), {checkpoint:.2f} for going to a
checkpoint, {lora:.2f} for going to a LoRA whose base is loaded, {sources:.1f} for reading all sources once. Rounds, which go to each model
three times, cost {more:.1%} more than one visit to each: shares of the pictures are nearly shares of the seconds. What a visit costs on a
card `python -m benchmarks.gpu` measures; no card was there for this page.

| pictures made | alphabet | order | and sources |
|---|---|---|---|
"""
LARGE_CURVE = """
The same on the zoo of {loras} LoRA, {pictures} pictures of each: 8 of all first, then the rest. Asked are the descriptions of what each was trained
on, and two held-out pictures of each; users have made three others.

"""
COURSE = """| pictures made | texts: alphabet | order | and sources | pictures: alphabet | order | and sources |
|---|---|---|---|---|---|---|
"""
NAMES = ("alphabet", "order", "order and sources")


def write_page() -> None:
    PAGE.write_text(page(*measured()), encoding="utf-8")


def measured() -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What was measured last, of both zoos."""
    large = json.loads(LARGE.read_text(encoding="utf-8")) if LARGE.is_file() else None
    return json.loads(RESULT.read_text(encoding="utf-8")), large


def page(found: dict[str, Any], large: dict[str, Any] | None) -> str:
    """`large`: of the benchmark zoo, where it was measured."""
    text = PICTURES
    for name, of in found["pictures"].items():
        text += f"| {name} | {of['text']:.3f} | {of['image']:.3f} |\n"
    text += WORTH
    for name, of in found["worth"].items():
        text += f"| {name} | {of['text']:.2f} | {of['image']:.2f} | {of['sketch']:.2f} |\n"
    text += TASTE
    for of in found["taste"]:
        figures = (of[f"{modality}_{half}"] for modality in ("text", "image") for half in ("taught", "untaught"))
        has = "yes" if of["pictures"] else "no"
        text += f"| {of['generated']} | {has} | {' | '.join(f'{each:.3f}' for each in figures)} |\n"
    text += WEIGHTS
    for name, of in found["weights"].items():
        told = f"{of['nearest among three']} of {of['of']}"
        text += f"| {name} | {of['pearson']:.3f} | {of['spearman']:.3f} | {told} |\n"
    text += VALIDITY + table(found["validity"])
    text += large_page.section(large) if large else ""
    text += _of_kin(found["kin"])
    text += GUESSES
    for of in found["guesses"]:
        figures = (of[name] for name in ("text_words", "text_weights", "image_words", "image_weights"))
        text += f"| {of['known']} | {' | '.join(f'{each:.3f}' for each in figures)} | {of['used']:.2f} |\n"
    text += CURVE + _of_course(found["curve"]) + _of_cost(found["cost"])
    return text + (LARGE_CURVE.format(**large) + _of_course(large["curve"]) if large and large["curve"] else "")


def _of_kin(found: dict[str, Any]) -> str:
    text = KIN.format(pairs=found["pairs"], of=found["of"], taken=found["taken for merges"] or "none")
    for name, share in found["merges"].items():
        text += f"| {name} | {share:.2f} |\n"
    text += EPOCHS
    for name, of in found["epochs"].items():
        told = (f"{cosine:.3f} | {ratio:.2f} times" for cosine, ratio in zip(of["cosines"], of["ratios"], strict=True))
        text += f"| {name} | {' | '.join(told)} | {of['merges']} |\n"
    return text


def _of_course(curve: list[dict[str, Any]]) -> str:
    text = COURSE
    for of in curve:
        figures = (of[name][modality] for modality in ("text", "image") for name in NAMES)
        text += f"| {of['share']:.1%} | {' | '.join(f'{each:.3f}' for each in figures)} |\n"
    return text + _reached(curve)


def _of_cost(found: dict[str, Any]) -> str:
    whole = found["spent"][-1]
    text = COST.format(**found["each"], more=whole["order"] / whole["alphabet"] - 1)
    for of in found["spent"]:
        text += f"| {of['share']:.1%} | {' | '.join(f'{of[name]:.1f}' for name in NAMES)} |\n"
    return text


def _reached(curve: list[dict[str, Any]]) -> str:
    """After how much of the pictures nine tenths of what they come to in the end are there."""
    said: list[str] = []
    for modality, word in (("text", "texts"), ("image", "pictures")):
        wanted = 0.9 * curve[-1]["alphabet"][modality]
        for name in NAMES:
            share = next(of["share"] for of in curve if of[name][modality] >= wanted)
            said.append(f"{word}, {name}: {share:.1%}")
    head = "\nNine tenths of the figures in the last row are reached after this much of the pictures:\n\n"
    return head + "".join(f"- {each}\n" for each in said)
