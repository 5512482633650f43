"""Which checkpoint made a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .tables import Row, table

PAPER_ONE = {  # top-1, 2, 3, 4 and average rank of 16 checkpoints (table 1 of the paper)
    "weighted kernel mean": (0.455, 0.614, 0.734, 0.812, 2.852),
    "RKME-Concat": (0.433, 0.602, None, None, 2.938),
    "RKME-CLIP": (0.419, 0.576, 0.688, 0.770, 3.130),
    "download count": (0.0625, 0.125, 0.1875, 0.25, 8.5),
    "RKME-Basic (pixels)": (0.0625, 0.125, 0.1875, 0.25, 8.5),
    "size 1, user's prompt": (0.434,),
}
PAPER_IMAGES = {"1": 0.455, "2": 0.578, "3": 0.658, "4": 0.709, "5": 0.755}


def one_image_section(found: dict[str, Any]) -> str:
    return "\n".join(
        [
            "## One image: which of the checkpoints made it\n",
            f"{found['models']} checkpoints of animals, specified by 55 pictures each; {found['queries']} pictures ask (18 other "
            "prompts, 10 seeds, as in the paper).\n",
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
        f"\nTop-1 here: {order}; the paper has weighted > Concat > RKME-CLIP. With words that the encoder found by itself the "
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
