"""docs/results_trust.md, from benchmarks/results/trust.json and trust_before.json."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results"
NOW, BEFORE = RESULTS / "trust.json", RESULTS / "trust_before.json"
SECOND = RESULTS / "emoji_trust.json"
PAGE = ROOT / "docs" / "results_trust.md"

HEAD = """# Results: how far answers can be trusted

Made by `python -m benchmarks.honesty` from `benchmarks/results/trust.json`; no figure here is typed by hand. The procedural zoo (28
models, {samples} pictures of each in the index) is asked by `auto` through the same search that all doors use. *Before* is what the
same command found before kinds shared a scale, evidence was weighed and backgrounds were composed. In brackets 95 % intervals,
models being drawn again. [Below](#a-second-world) the same is asked of the mini zoo, which taught none of it. Texts that a model's file says of itself, word by word (5 of 27), are not asked now; *before* asked them,
too, and prompts of media and flavours that the background knows by now. Nobody is told the prompts that made the pictures. The larger
benchmark zoo was not built for this page: that takes hours.
"""

HEADINGS = {
    "evidence": (
        "Evidence of different worth in one list",
        "{unmeasured} more LoRA of which nothing was generated, known by a name, or by a name and one to three pictures. Names are of "
        "things and media that the zoo has nothing of, or in the very words by which the zoo's looks are described; none is a text that is "
        "asked here.",
    ),
    "kinds": (
        "LoRA and checkpoints in one list",
        "Three checkpoints, their base and 24 LoRA. Every second model has chosen how much of what a model usually gets is taken off it "
        "(the next table); rows of the others show what that is worth. LoRA alone in the list are what can be had at most: each further "
        "model in a list costs places. A checkpoint costs about what one more LoRA does (the last rows: how many pictures would be among "
        "the first five if that one model were not listed), so what is lost is lost to the longer list, not to the kind. Shrinking location "
        "and scale of kinds by other constants (100 is in use), any other lead of the checkpoints, locations and scales of "
        "single models, other shares of the methods in `auto` and densities with a covariance that all models share in part "
        "move pictures of LoRA up as they move those of checkpoints down, or those of one half or zoo as they move the other's; by none "
        "reach both what they reach apart.",
    ),
    "usual": (
        "Shares of what a model usually gets, tried",
        "The same list, by `auto`, with this share of each model's median over unrelated queries taken off its scores. A fifth is in "
        "use, for texts as well; sketches are found worse by any share.",
    ),
    "several": (
        "One input and six",
        "Pictures that a model made of prompts and seeds unseen by the index; their line drawings.",
    ),
    "unrelated": (
        "What unrelated queries are told",
        "Relevance above one half says that half of all unrelated queries find nothing as good, so half of them should be told so. Texts "
        "name things that neither the models nor the background know; pictures and drawings are a model's own, with that model out of the "
        "collection (*before*: out of the list, where it still said what is usual for its own pictures and made them look less relevant). "
        "Drawings are calibrated since the background's are asked in the same four views; six pictures since they count as as many as they "
        "are unlike; texts since names are compared with names and sentences with sentences. Eight folds of prompts rather than four were "
        "chosen after a look at both zoos, nothing else by these figures.",
    ),
    "picked": (
        "LoRA picked unasked",
        "By what the WebUI extension applies without anybody looking. From which confidence on was chosen on these very "
        "unrelated texts and prompts.",
    ),
    "right or wrong": (
        "Is the first one right?",
        "AUC: how often a right first answer has a higher number than a wrong one; .5 is chance. Texts are all the ways in which the "
        "world words a look or thing. Brier score: mean squared error of the confidence, beside that of always saying the hit rate. "
        "The confidence has learned from every second model; rows of the others say how it does on those. One in five of what it "
        "learned from is a query that nothing here answers: with as many of these as of others it was too modest wherever something did. For "
        "sketches it has learned from all bundled drawers, most of which find less than the index's own. Whether a sketch's four views "
        "find the same model first would tell a little more on both zoos, within what is sure, and is not in use.",
    ),
    "unwanted": (
        "What is not wanted",
        "A model's description; not wanted are the words of the best of the other models.",
    ),
    "nonsense": (
        "Queries that ask for nothing",
        'Relevance of the best match; 0 where the query is refused with a sentence. "invoice" is a word like any other: by definition, one in '
        "twenty bare names is told .95 or more, and half of them .5 (the row of bare names above). The text tower of the procedural zoo has never "
        "met this one; the [mini zoo's](#queries-that-ask-for-nothing-there) has, and says no. Whether a word is met for the first time was "
        "looked for in where its features lie: nearer to those of strings of random letters than to the background's. That tells such strings from "
        "what the zoos are asked, but here hardly from names of things, and this word lies where the zoo's own words do. So nothing is made of it.",
    ),
    "drawers": (
        "Sketches by other drawers than the index's own",
        "The index's drawings are made by `outlines`; a row of that name asks with the drawer that made them. *Of an index of its own*: the "
        "same drawings asked of an index that this drawer has drawn, which is the most that they can say. By hand: the things of the "
        "five subject LoRA, in lines, with three pens (`benchmarks/honesty/strokes.py`). How much the mean counts beside the density (a "
        "quarter) was chosen on these very rows. `hed`: the published weights of HED (`--hed`), which lie on no path of this "
        "repository. PiDiNet's, for research only, were not at hand. That a foreign drawer finds half of what the index's own finds is not "
        "reached by any of these drawers, only by hands, which ask for five things. Fine outlines and canny say hardly more to an index of "
        "their own: of pictures of 64 pixels they leave little. Tried on both zoos and not in use, as none is better for all: asking only those of the "
        "four views that lie nearest to the index's drawings finds more for pencil and canny, and loses much of the hands; moving each view's "
        "features to where the index's lie, by means or by ridge regression, helps the index's own drawer and no other; spreads by "
        "quantiles in place of deviations, and what is usual of each model measured by the drawings of other drawers, of the nearest "
        "of these or of the nearest drawings, change nothing that is sure; index and query drawn again in lines of one width, along their "
        "middles, helps the index's own drawer in the mini zoo only, and hands lose most; to leave hubs alone, where they are marked (in the mini "
        "zoo), helps foreign drawers a little, and half of the hands fall out of the first five.",
    ),
    "drawers in turn": (
        "An index drawn by several drawers in turn",
        "Tried and not in use: each picture of the index drawn by one of the bundled drawers but the one that asks; for hands, by one of all. All "
        "drawings of a picture in one cloud, a mixture of the drawers' clouds, and the cloud of the nearest drawer do about the same at several "
        "times the work. Foreign drawers gain by it, here and in the [mini zoo](#an-index-drawn-by-several-drawers-in-turn-there), and come to "
        "about half of what the index's own finds. Hands, who are who draws, lose more than that here, and nothing that is sure there.",
    ),
    "things and looks": (
        "A picture of the thing and the look in words",
        "The picture shows a thing in no particular look, and says nothing of which model is meant.",
    ),
    "varied": (
        "Diverse lists",
        "Six models of a diverse list, where they stand in the plain one. Here six or fewer fit, as a rule: the list is the plain one, "
        "and says so.",
    ),
    "cleansing": ("Reference pictures that come back unchanged", "Of the 30 bundled subjects."),
}


SECOND_HEAD = """## A second world

Made by `python -m benchmarks.emoji_zoo.trust` of the bundled [mini zoo](results_mini_zoo.md) (36 LoRA, 4 checkpoints and their base,
{samples} pictures of each in the index) and of its own questions. No constant, no threshold and no confidence was chosen on it.
Unrelated texts and prompts are those above; some of their words are of things that this world has. Words for what a LoRA is about:
captions' words for its look, and the look's other name.

"""


def second_world(found: dict[str, Any]) -> str:
    parts = [SECOND_HEAD.format(**found)]
    for name, rows in found["tables"].items():
        parts.append(f"### {HEADINGS[name][0]}, there\n\n| | | mini zoo |\n|---|---|---|")
        parts += [
            f"| {row} | {label} | {figure(of)} |" for row, figures in rows.items() for label, of in figures.items()
        ]
        parts.append("")
    return "\n".join(parts)


def page() -> str:
    now = read(NOW)
    before = read(BEFORE)
    facts = now or before
    parts = [HEAD.format(**facts)]
    for name, (heading, words) in HEADINGS.items():
        if any(name in found.get("tables", {}) for found in (now, before)):
            tables = [found.get("tables", {}).get(name, {}) for found in (before, now)]
            parts.append(f"## {heading}\n\n{words.format(**facts)}\n\n{table(*tables)}")
    second = read(SECOND)
    return "\n".join([*parts, *([second_world(second)] if second else [])])


def table(before: dict[str, Any], now: dict[str, Any]) -> str:
    lines = ["| | | before | now |", "|---|---|---|---|"]
    for row in {**now, **before}:
        figures = [found.get(row, {}) for found in (before, now)]
        for name in {**figures[0], **figures[1]}:
            told = [figure(found.get(name)) for found in figures]
            lines.append(f"| {row} | {name} | {told[0]} | {told[1]} |")
    return "\n".join(lines) + "\n"


def figure(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    value, low, high = found["value"], found["low"], found["high"]
    shown = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return shown if math.isnan(low) else f"{shown} ({_short(low)}–{_short(high)})"


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
