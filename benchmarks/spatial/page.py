"""docs/results_spatial.md, from benchmarks/results/spatial.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PAPER = {"first_moment": 0.52, "gaussian": 0.49, "spatial": 1.0}  # both without fine-tuning

INTRODUCTION = """# Results: where things are

Made by `python -m benchmarks.spatial` from `benchmarks/results/spatial.json`. No figure here is typed by hand, but for
the paper's own.

Two LoRA draw the same things, one facing left and one facing right. {samples} pictures a model are in the index. They
are asked with held-out pictures, the two being the only candidates: how often is the model favoured that faces the same
way? Chance is .5. In brackets the 95 % interval. `spatial` is 1st Moment on the last 7×7 map of a ConvNeXt, which here
is a tiny one that was trained to tell the world's things and colours ({told:.0%} of unseen pictures are told, among
{classes}); global features are those of the procedural zoo's CLIP. The paper has 50 pictures of horses and their mirror images, a
ConvNeXt with ImageNet-22k's weights, and models that draw nothing but horses: a pair of one thing is its protocol, a pair of
several asks for more. For comparison: the pictures themselves, averaged to 7×7 pixels, their means compared in the same way.
"""

PAIR = """
## {things}

A picture and its mirror image have a cosine of {mirror:.3f} to the ConvNeXt, and {mirror_global:.3f} to the procedural zoo's CLIP: what is
left of 1 is all that either has to tell them apart by, while colours and backgrounds change as well.
"""

HEADINGS = {
    ("things", "held out"): "Probes of the things that they draw, asked with each model's own pictures",
    ("things", "mirrored"): "Probes of the things that they draw, asked with pictures and their mirror images",
    ("world", "held out"): "Probes of the whole world, asked with each model's own pictures",
    ("world", "mirrored"): "Probes of the whole world, asked with pictures and their mirror images",
}

ELSEWHERE = """
## Where the layout is not the question

The procedural zoo's {queries} held-out pictures, among its {models} models: the layout of a picture says little of its style,
so it is not part of `auto`. With `--respect-layout` it is added to the {first} best with the weight {weight:g}.
"""


def page(results: dict[str, Any]) -> str:
    text = INTRODUCTION.format(**results["facts"])
    for pair in results["pairs"]:
        text += PAIR.format(**pair["facts"])
        for (probes, protocol), heading in HEADINGS.items():
            text += f"\n### {heading}\n\n{comparison(pair['probes'][probes][protocol])}"
    return text + ELSEWHERE.format(**results["facts"]["elsewhere"]) + "\n" + finding(results["elsewhere"])


def comparison(rows: Sequence[dict[str, Any]]) -> str:
    things = list(rows[0]["things"])
    lines = [f"| method | favours the right one | {' | '.join(things)} | paper |", "|---" * (len(things) + 3) + "|"]
    for row in rows:
        paper = f"{PAPER[row['method']]:.0%}" if row["method"] in PAPER else ""
        ours = f"{row['share']:.0%} of {row['of']} ({row['low']:.0%}–{row['high']:.0%})"
        each = " | ".join(f"{row['things'][thing]:.0%}" for thing in things)
        lines.append(f"| {row['method']} | {ours} | {each} | {paper} |")
    return "\n".join(lines) + "\n"


def finding(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| method | top-1 | top-5 | MRR | average rank |", "|---|---|---|---|---|"]
    for row in rows:
        measures = f"{row['top1']:.3f} | {row['top5']:.3f} | {row['mrr']:.3f} | {row['average_rank']:.2f}"
        lines.append(f"| {row['method']} | {measures} |")
    return "\n".join(lines) + "\n"
