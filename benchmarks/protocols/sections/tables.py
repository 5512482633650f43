"""Markdown tables of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Row = Mapping[str, float]


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


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in body)])
