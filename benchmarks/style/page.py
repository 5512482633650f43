"""docs/results_style.md, from benchmarks/results/style.json and zoo_style.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .measuring import FOLDS, PAPER
from .world import SETS

ROOT = Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "benchmarks" / "results" / "style.json"

INTRODUCTION = """# Style search

Made by `python -m benchmarks.style` from `benchmarks/results/style.json`. Nothing here is typed by hand.

The protocol is that of Vu et al., "Image-Generation AI Model Retrieval by Contrastive Learning-based Style Distance
Calculation": LoRA paint line drawings by reference-only attention with an empty prompt; an encoder is trained with triplets
on some LoRA and asked about others. The world is smaller. The paper trains VGG19 on 20 and 30 LoRA from the hubs with 238
photos and ranks 100 unseen ones; here a linear head on the procedural zoo's CLIP is trained on {few} and {more} of the procedural zoo's {loras}
LoRA with {diverse} scenes and ranks the {unseen} unseen ones, in {folds} folds so that each LoRA is unseen once ({queries}
queries). VGG19 itself is not in the table: ImageNet's weights are no part of this repository (`modelsearch train style
--network vgg19` trains it where they are on disk). Chance for the MRR is {chance:.2f} among {unseen} and {chance_all:.2f} among {loras}; always
saying "same model" has an F1 of .667.

| | F1 | precision | recall | MRR | MRR among all {loras} | *paper:* F1 | precision | recall | MRR |
|---|---|---|---|---|---|---|---|---|---|
"""


def page(results: dict[str, Any]) -> str:
    r = results["zoo"]
    few, more = r["trained_on"]
    chance, chance_all = (float(np.mean(1 / np.arange(1, n + 1))) for n in (r["unseen"], r["loras"]))
    text = INTRODUCTION.format(
        few=few, more=more, loras=r["loras"], diverse=SETS["diverse"], unseen=r["unseen"], folds=FOLDS,
        queries=r["queries"], chance=chance, chance_all=chance_all,
    )  # fmt: skip
    for name, figures in r["table"].items():
        ours = " | ".join(f"{figures[key]:.3f}" for key in ("f1", "precision", "recall", "mrr", "mrr_among_all"))
        text += f"| {name} | {ours} | {' | '.join(f'{value:.2f}' for value in PAPER[name])} |\n"
    text += "\n" + "\n".join(f"- {line}" for line in compared(r)) + "\n"
    return text + benchmark_zoo() + fast_table(results["fast_form"])


def benchmark_zoo() -> str:
    """What `python -m benchmarks.protocols style` has found, if it was run."""
    found = RESULT.with_name("zoo_style.json")
    return "\n" + section(json.loads(found.read_text())) if found.is_file() else ""


def compared(r: dict[str, Any]) -> list[str]:
    """Where the order is the paper's and where it is not."""
    lines = [
        f"Cleansing (mean squared error below 0.01) dropped {r['cleansed']} of {r['pictures']} pictures"
        + (", so the two rows differ in nothing." if not r["cleansed"] else "."),
        *against_the_paper(r),
        "A picture's marks lie more like its own drawing's than like another's in "
        f"{r['follows_drawing']['base']:.0%} of all comparisons without a LoRA, {r['follows_drawing']['loras']:.0%} with "
        "one (chance 50 %): the tiny model attends to itself at 8 by 8 places only, so the drawing sets paper and mass "
        "and hardly the outline. Stable Diffusion's self-attention sees 64 by 64.",
    ]
    spread = max(r["mrr_spread_over_folds"].values())
    lines.append(
        f"The MRR of single folds scatters by up to {spread:.2f} (standard deviation of {FOLDS}), so differences below "
        f"about {2 * spread / FOLDS**0.5:.2f} say nothing. All heads together took {r['training_seconds']:.0f} s to train."
    )
    return lines


def against_the_paper(r: dict[str, Any]) -> list[str]:
    """Each row's distance from the fine-tuned one, and whether it has the paper's sign."""
    own = r["table"]["fine-tuned"]
    lines: list[str] = []
    for name, (f1, _, _, mrr) in PAPER.items():
        figures = r["table"][name]
        if name == "fine-tuned" or (name == "no cleansing" and not r["cleansed"]):
            continue
        parts = [
            f"{what} {ours:+.3f} (paper {theirs:+.2f}{'' if agrees(ours, theirs) else ': **the order differs**'})"
            for what, ours, theirs in (
                ("F1", figures["f1"] - own["f1"], f1 - PAPER["fine-tuned"][0]),
                ("MRR", figures["mrr"] - own["mrr"], mrr - PAPER["fine-tuned"][3]),
            )
        ]
        lines.append(f"{name[0].upper()}{name[1:]}, against fine-tuned: {', '.join(parts)}.")
    return lines


def agrees(ours: float, theirs: float) -> bool:
    return ours * theirs >= 0


def fast_table(rows: list[dict[str, float]]) -> str:
    head = (
        "\n## The fast form\n\nThe paper compares a query with every reference vector of every model. Here all models are "
        "ranked by mean and spread of their\nvectors first, and the 50 nearest by all of their 30 vectors. Styles in families "
        "of close neighbours, 50 queries.\n\n| models | overlap of the ten nearest | comparisons, the paper's | comparisons "
        "here | ms, the paper's | ms here |\n|---|---|---|---|---|---|\n"
    )
    return (
        head
        + "".join(
            f"| {row['models']:,} | {row['overlap']:.3f} | {row['comparisons']:,} | {row['fast_comparisons']:,} "
            f"| {row['ms']:.2f} | {row['fast_ms']:.2f} |\n"
            for row in rows
        )
        + "\n![What each LoRA makes of the same drawings](style_grid.png)\n"
    )


def section(found: dict[str, Any]) -> str:
    """Markdown, with the paper's figures."""
    few, more = found["trained_on"]
    chance = float(np.mean(1 / np.arange(1, found["unseen"] + 1)))
    head = (
        "## The paper's numbers of LoRA\n\n"
        f"The same on the benchmark zoo: trained on {few} and on {more} LoRA, asked about {found['unseen']} that no training saw, "
        f"{found['queries']} pictures, by features of the procedural zoo's CLIP. Chance for the MRR is {chance:.2f}. Cleansing dropped {found['cleansed']} of "
        f"{found['pictures']} pictures.\n\n| | F1 | precision | recall | MRR | MRR, CSLS | *paper:* F1 | precision | recall | MRR |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    rows = [
        f"| {name} | {' | '.join(f'{row[key]:.3f}' for key in ('f1', 'precision', 'recall', 'mrr', 'mrr_csls'))} | "
        f"{' | '.join(f'{value:.2f}' for value in PAPER[name])} |\n"
        for name, row in found["table"].items()
    ]
    told = "".join(f"- {line}\n" for line in [*against_the_paper(found), csls(found), own_encoder(found)])
    return head + "".join(rows) + "\n" + told + share_table(found["share"])


def csls(found: dict[str, Any]) -> str:
    """What taking hubs off does to the MRR."""
    gains = [row["mrr_csls"] - row["mrr"] for row in found["table"].values()]
    return f"CSLS, which search by style uses, changes the MRR by {min(gains):+.3f} to {max(gains):+.3f}."


def own_encoder(found: dict[str, Any]) -> str:
    """What is left to learn where the encoder was trained on looks."""
    plain, tuned = (found["own_encoder"][name] for name in ("transfer only", "fine-tuned on half as many LoRA again"))
    return (
        "By the benchmark zoo's own encoder, which was trained on captions of looks, training changes F1 from "
        f"{plain['f1']:.3f} to {tuned['f1']:.3f} and the MRR from {plain['mrr']:.3f} to {tuned['mrr']:.3f}."
    )


def share_table(rows: dict[str, dict[str, float]]) -> str:
    """How often pictures find their LoRA of the procedural zoo, by how much style is asked for."""
    if not rows:
        return ""
    head = (
        "\n## Style beside content in `auto`\n\nHeld-out pictures of the procedural zoo's LoRA, which have painted the bundled "
        "subjects; 0 is content alone, 1 style alone. These pictures show what the "
        "probes show, and the tiny models' drawings say little (see above), so `auto` asks for no style unless it is "
        "told.\n\n| | top-1 | top-5 | MRR |\n|---|---|---|---|\n"
    )
    return head + "".join(f"| {n} | {r['top1']:.3f} | {r['top5']:.3f} | {r['mrr']:.3f} |\n" for n, r in rows.items())
