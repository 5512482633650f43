"""What learning from the collection brings."""

from __future__ import annotations

from typing import Any

from .tables import table

PAPER_LEARNED = {  # top-1 (plain, learned) of table 2 and table 5
    "image, first_moment": "0.78 → 0.81",
    "image, gaussian": "0.84 → 0.85",
    "sketch of pictures, first_moment": "0.32 → 0.49",
    "sketch of pictures, gaussian": "0.18 → 0.30",
    "text, first_moment": "0.77 → 0.81",
}


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
