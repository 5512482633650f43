"""docs/results.md, from what the protocols have written: tables with the papers' figures beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.mini_zoo_results import page as mini_zoo_page

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "results.md"
Row = Mapping[str, float]

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
PAPER_CURVE = {"64": "", "8": "10: .66", "128": "100: .78", "512": "2400: .84"}
PAPER_ONE = {  # top-1, 2, 3, 4 and average rank of 16 checkpoints (table 1 of the paper)
    "weighted kernel mean": (0.455, 0.614, 0.734, 0.812, 2.852),
    "RKME-Concat": (0.433, 0.602, None, None, 2.938),
    "RKME-CLIP": (0.419, 0.576, 0.688, 0.770, 3.130),
    "download count": (0.0625, 0.125, 0.1875, 0.25, 8.5),
    "RKME-Basic (pixels)": (0.0625, 0.125, 0.1875, 0.25, 8.5),
    "size 1, user's prompt": (0.434,),
}
PAPER_IMAGES = {"1": 0.455, "2": 0.578, "3": 0.658, "4": 0.709, "5": 0.755}
PAPER_LEARNED = {  # top-1 (plain, learned) of table 2 and table 5
    "image, first_moment": "0.78 → 0.81",
    "image, gaussian": "0.84 → 0.85",
    "sketch of pictures, first_moment": "0.32 → 0.49",
    "sketch of pictures, gaussian": "0.18 → 0.30",
    "text, first_moment": "0.77 → 0.81",
}


def write(results: Path) -> None:
    """The page, of as many protocols as have been run."""
    sections = [HEAD]
    for name, section in SECTIONS.items():
        file = results / f"{name}.json"
        if file.is_file():
            sections.append(section(json.loads(file.read_text(encoding="utf-8"))))
    PAGE.write_text("\n".join(sections).rstrip() + "\n", encoding="utf-8")


HEAD = """# Results

Made by `python -m benchmarks.protocols page` from `benchmarks/results/*.json`; no figure here is typed by hand, but for those in
*italics*, which are the papers'. They had other models, other pictures and CLIP ViT-B/32; what can be compared is the order.
Search by style has a page of its own, [results_style.md](results_style.md), so has [layout](results_spatial.md).
"""


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
    return (
        f"This zoo is harder than the papers' (1st Moment {plain:.3f} by one picture; it was meant to lie between .5 and .85): the "
        "tiny models paint 64 pixels and not always what they learned, a third of them are close neighbours, and the mini CLIP has "
        f"96 numbers. By the mean of 50 pictures the same models are found in {several:.0%}, so it is the single picture that says "
        "little. What can be read here is the order of methods, not how often a search is right.\n"
    )


def accuracy(rows: Mapping[str, Row], paper: Mapping[str, Sequence[float]]) -> str:
    head = ["", "top-1", "top-5", "top-10", "MRR", "average rank", "*paper:* top-1, 5, 10"]
    body = [
        [
            name,
            *(f"{row[key]:.3f}" for key in ("top1", "top5", "top10", "mrr")),
            f"{row['rank']:.1f}",
            _cited(paper, name),
        ]
        for name, row in rows.items()
    ]
    return table(head, body)


def _cited(paper: Mapping[str, Sequence[float]], name: str) -> str:
    return " ".join(f"*{value:.2f}*" for value in paper.get(name, ()))


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
    parts.append(
        "*The paper's Gaussian on pictures: 10 samples .66, 100 .78, 2,400 and all .84.* The best single method of the papers "
        + _best_of_papers(found)
    )
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
        auto = part["methods"][f"{kind} auto"]["64"]["top1"]
        said.append(
            f"with {most} samples reaches {own[best][str(most)]['top1']:.3f} ({best}) by {kind}, `auto` with 64 {auto:.3f}"
        )
    return "; ".join(said) + "."


def one_image_section(found: dict[str, Any]) -> str:
    return "\n".join(
        [
            "## One image: which of the checkpoints made it\n",
            f"{found['models']} checkpoints of animals, specified by 55 pictures each; {found['queries']} pictures ask (18 other "
            "prompts, 5 seeds; the paper has 10).\n",
            _one_image(found["methods"], PAPER_ONE),
            _words(found),
            "\n### Several pictures of one prompt (weighted kernel mean, user's prompt)\n",
            table(
                ["pictures", "top-1", "average rank", "*paper:* top-1"],
                [
                    [n, f"{r['top1']:.3f}", f"{r['rank']:.2f}", f"*{PAPER_IMAGES[n]}*"]
                    for n, r in found["images"].items()
                ],
            ),
            "\n### Half of the prompts (*paper: .442 and .460*), γ, and what samples count for\n",
            _one_image(found["half"] | {f"γ = {g}": r for g, r in found["gamma"].items()} | found["weights"], {}),
        ]
    )


def _words(found: dict[str, Any]) -> str:
    """The order of the paper's methods here, and what words are worth."""
    top1 = {name: row["top1"] for name, row in found["methods"].items()}
    names = {
        "the same with the user's prompt": "weighted, user's prompt",
        "RKME-Concat": "Concat",
        "RKME-CLIP": "RKME-CLIP",
    }
    order = " > ".join(f"{names[name]} {top1[name]:.3f}" for name in sorted(names, key=lambda name: -top1[name]))
    best = max(found["weights"], key=lambda name: found["weights"][name]["top1"])
    return (
        f"\nTop-1 here: {order}; the paper has weighted > Concat > RKME-CLIP. With words that the mini CLIP found by itself the "
        f"weighted form falls to {top1['weighted kernel mean']:.3f}: its cosines of texts may be negative, so that some samples count "
        f"against a model. The best weights of the last table are {best}: {found['weights'][best]['top1']:.3f}.\n"
    )


def _one_image(rows: Mapping[str, Row], paper: Mapping[str, Sequence[float | None]]) -> str:
    head = ["", "top-1", "top-2", "top-3", "top-4", "average rank", "*paper*"]
    body = [
        [
            name,
            *(f"{row[f'top{k}']:.3f}" for k in (1, 2, 3, 4)),
            f"{row['rank']:.2f}",
            " ".join("–" if v is None else f"*{v}*" for v in paper.get(name, ())),
        ]
        for name, row in rows.items()
    ]
    return table(head, body)


def learned_section(found: dict[str, Any]) -> str:
    rows: list[list[str]] = []
    for name, row in tasks(found):
        folds, other = row["five folds"], row.get("30 LoRA")
        rows.append(
            [
                name,
                folds["parameterisation"],
                _change(folds["plain"]["top1"], folds["learned"]["top1"]),
                _change(folds["plain"]["mrr"], folds["learned"]["mrr"]),
                "yes" if folds["better"] else "no",
                _change(other["plain"]["top1"], other["learned"]["top1"]) if other else "",
                f"*{PAPER_LEARNED[name]}*" if name in PAPER_LEARNED else "",
            ]
        )
    head = [
        "",
        "matrix",
        "5 folds, top-1",
        "5 folds, MRR",
        "used",
        "learned on 30 LoRA, top-1 of all others",
        "*paper:* top-1",
    ]
    return "\n".join(
        [
            "## Learned matching\n",
            "A matrix between queries and statistics, learned with InfoNCE (`modelsearch train matching`). Five folds over the models: "
            "figures are of models that the matrix was not learned on, its form chosen by the other folds. A gain below .01 MRR or "
            "below twice its standard error is not used.\n",
            table(head, rows),
            "\n### Every form (MRR on unseen models)\n",
            _forms(found),
        ]
    )


def tasks(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, row) for name, row in found.items() if isinstance(row, dict) and "five folds" in row]


def _forms(found: dict[str, Any]) -> str:
    forms = list(tasks(found)[0][1]["five folds"]["every"])
    rows = [
        [
            name,
            f"{row['five folds']['plain']['mrr']:.3f}",
            *(f"{row['five folds']['every'].get(f, 0):.3f}" for f in forms),
        ]
        for name, row in tasks(found)
    ]
    return table(["", "plain", *forms], rows)


def _change(before: float, after: float) -> str:
    return f"{before:.3f} → {after:.3f}"


def sweeps_section(found: dict[str, Any]) -> str:
    parts = [
        "## What the defaults were chosen by\n",
        "### Rank and floor of the low-rank Gaussian (MRR)\n",
        _densities(found["densities"]),
    ]
    parts += [
        "\n### Hubs: N_10 skewness of the background, MRR without and with the correction\n",
        _calibration(found["calibration"]),
    ]
    parts += ["\n### LoRA: paired differences against plain features\n", accuracy(found["differences"], {})]
    parts += ["\n### Authors' words beside what was measured, texts (all that the zoo's files say is their name)\n"]
    parts += [accuracy(found["words"], {})]
    for kind, rows in found["fusion"].items():
        best = dict(list(rows.items())[:8])
        parts += [f"\n### Methods together, {kind} (the eight best of {len(rows)})\n", accuracy(best, {})]
    if "style share" in found:
        parts += ["\n### Style beside content in `auto`, pictures, by its share\n", accuracy(found["style share"], {})]
    return "\n".join(parts)


def _densities(rows: Mapping[str, Row]) -> str:
    floors = list(dict.fromkeys(name.rsplit("floor ")[1] for name in rows))
    heads = list(dict.fromkeys(name.rsplit(", floor ")[0] for name in rows))
    body = [[head, *(f"{rows[f'{head}, floor {floor}']['mrr']:.3f}" for floor in floors)] for head in heads]
    return table(["", *(f"floor {floor}" for floor in floors)], body)


def _calibration(rows: Mapping[str, Row]) -> str:
    body = [[name, f"{r['skewness']:.2f}", f"{r['off']:.3f}", f"{r['on']:.3f}"] for name, r in rows.items()]
    return table(["", "skewness", "off", "on"], body)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in body)])


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "zoo_content": content_section,
    "zoo_curve": curve_section,
    "zoo_one_image": one_image_section,
    "zoo_learned": learned_section,
    "zoo_sweeps": sweeps_section,
    "mini_zoo": mini_zoo_page,
}
