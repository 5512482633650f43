"""Content-based search, and how many samples it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tables import Row, accuracy, table

# top-1, top-5, top-10 of 259 public models (table 1 of arXiv 2210.03116)
PAPER_IMAGE = {
    "monte_carlo": (0.82, 0.96, 0.99),
    "best_k": (0.82, 0.96, 0.99),
    "first_moment": (0.78, 0.94, 0.98),
    "gaussian": (0.84, 0.96, 0.98),
}
PAPER_SKETCH = {
    "monte_carlo": (0.32, 0.59, 0.72),
    "best_k": (0.32, 0.59, 0.72),
    "first_moment": (0.32, 0.61, 0.73),
    "gaussian": (0.18, 0.39, 0.53),
}
PAPER_TEXT = {"monte_carlo": (0.75,), "best_k": (0.74,), "first_moment": (0.77,)}
PAPER_BOTH = {"picture and text": (0.47, 0.86)}


# Rows that know more than a user's picture says.
TOLD = (
    "`prompted_kernel_mean`, `rkme_concat` and *auto, with the prompt* are told the very prompts that made the pictures, of the queries "
    "and of the samples; the others see pictures alone."
)
WANTED = (0.5, 0.85)  # top-1 of 1st Moment by picture


def content_section(found: dict[str, Any]) -> str:
    return "\n".join(
        [
            "## Content: pictures, line drawings, texts\n",
            f"{found['models']} models ({found['loras']} LoRA, {found['checkpoints']} checkpoints of animals, their base), all "
            "really trained by `benchmarks/zoo`; 64 pictures of each in the index. "
            f"{found['queries']} held-out pictures ask: 50 of each model, of prompts and seeds that no training and no probe has "
            f"seen. Chance is {1 / found['models']:.3f} for top-1.\n",
            _difficulty(found),
            "### Pictures\n",
            accuracy(found["image"], PAPER_IMAGE),
            f"\n{TOLD}\n",
            "\n### Line drawings of these pictures\n",
            accuracy(found["sketch"], PAPER_SKETCH),
            "\n`drawn_…` compare with line drawings of the samples, all others with the samples themselves.\n",
            "### Texts: one description a look\n",
            accuracy(found["text"], PAPER_TEXT),
            "\n### A picture of the thing and the look in words\n",
            accuracy(found["image and text"], PAPER_BOTH),
            "\n### Another file of the same make: the mean of a model's held-out pictures asks\n",
            accuracy(found["model"], {}),
            "\n### Which models are found by pictures (`auto`)\n",
            categories(found["categories"]),
        ]
    )


def _difficulty(found: dict[str, Any]) -> str:
    plain, several = found["image"]["first_moment"]["top1"], found["model"]["cosine of means"]["top1"]
    low, high = WANTED
    within = "lies within" if low <= plain <= high else "misses"
    return (
        f"The zoo is made to be neither trivial nor hopeless: 1st Moment was to find between {low:.0%} and {high:.0%} of the models by "
        f"one picture, and {within} that with {plain:.1%}. There are close neighbours among them (dots of two sizes, one look for two "
        f"things). By the mean of 50 pictures {several:.0%} are found. The encoder is a CLIP trained on captions of this world's looks and "
        "things (`benchmarks/zoo/large_clip.py`); lengths, angles and pairs of colours that models have were kept from it; looks without such values (a tint, neon, sepia, a mirror) were not.\n"
    )


def categories(rows: Mapping[str, Row]) -> str:
    head = ["", "models", "top-1", "top-5", "MRR"]
    return table(
        head,
        [[n, str(int(r["models"])), *(f"{r[k]:.3f}" for k in ("top1", "top5", "mrr"))] for n, r in rows.items()],
    )


def curve_section(found: dict[str, Any]) -> str:
    parts = ["## How many samples\n", "Top-1 by samples a model.\n"]
    for part in (found[name] for name in ("all", "some") if name in found):
        parts += [f"### {part['models']} models\n", _curve(part["methods"]), ""]
    parts += [
        "*The paper's Gaussian on pictures: 10 samples .66, 100 .78, 2,400 and all .84.*\n",
        f"### `auto` with 64 samples against the papers' methods with the most ({(found.get('some') or found['all'])['models']} models)\n",
        "| | best single method of the papers | the same with 64 | `auto` with 64 | difference |\n|---|---|---|---|---|",
        _best_of_papers(found),
        "",
        _more_samples(found.get("some") or found["all"]),
    ]
    return "\n".join(parts)


def _curve(methods: Mapping[str, Mapping[str, Row]]) -> str:
    sizes = list(dict.fromkeys(size for rows in methods.values() for size in rows))
    return table(
        ["", *sizes],
        [
            [name, *(f"{rows[size]['top1']:.3f}" if size in rows else "" for size in sizes)]
            for name, rows in methods.items()
        ],
    )


PAPERS_OWN = ("first_moment", "monte_carlo", "best_k", "gaussian")


def _best_of_papers(found: dict[str, Any]) -> str:
    """`auto` with 64 samples against the papers' methods with the most."""
    part = found.get("some") or found["all"]
    said: list[str] = []
    for kind in ("image", "sketch", "text"):
        own = {name: part["methods"].get(f"{kind} {name}", {}) for name in PAPERS_OWN}
        most = max((int(size) for rows in own.values() for size in rows), default=0)
        best = max((name for name in own if own[name]), key=lambda name: own[name][str(most)]["top1"])
        theirs, auto = own[best][str(most)]["top1"], part["methods"][f"{kind} auto"]["64"]["top1"]
        same = own[best]["64"]["top1"]
        said.append(
            f"| {kind} | {best}, {most} samples: {theirs:.3f} | {same:.3f} | {auto:.3f} | {auto - theirs:+.3f} |"
        )
    return "\n".join(said)


def _more_samples(part: dict[str, Any]) -> str:
    """What each method gains from more samples than `auto` has."""
    gains: list[str] = []
    for name in ("auto", *PAPERS_OWN):
        rows = part["methods"][f"image {name}"]
        most = max(rows, key=int)
        gains.append(f"{name} {rows[most]['top1'] - rows['64']['top1']:+.3f}")
    return (
        f"What more pictures than 64 change by image: {', '.join(gains)}. Other shares of these methods in `auto`, and one measure "
        "for all kinds, are in the tables of the defaults below."
    )
