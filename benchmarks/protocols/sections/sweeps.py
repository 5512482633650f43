"""What the defaults were chosen by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tables import Row, accuracy, table


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
    if "yardsticks" in found:
        parts += [
            "\n### What a score is measured by: checkpoints and LoRA apart, as in the product, or together (pictures)\n"
        ]
        parts += [_yardsticks(found), accuracy(found["yardsticks"], {})]
    for kind, rows in found["fusion"].items():
        best = dict(list(rows.items())[:8])
        parts += [f"\n### Methods together, {kind} (the eight best of {len(rows)})\n", accuracy(best, {})]
    if "style share" in found:
        parts += ["\n### Style beside content in `auto`, pictures, by its share\n", accuracy(found["style share"], {})]
    return "\n".join(parts)


def _yardsticks(found: dict[str, Any]) -> str:
    apart, together = (found["yardsticks"][f"auto, kinds {how}"]["top1"] for how in ("apart", "together"))
    return (
        f"Together, `auto` gains {together - apart:+.3f} of top-1 here, where the checkpoints know three animals only. They are kept "
        "apart nevertheless: in a small collection the base alone is near to every unrelated question, and measured together with "
        "its LoRA it makes their right answers look weak (`tests/search/test_search.py`).\n"
    )


def _densities(rows: Mapping[str, Row]) -> str:
    floors = list(dict.fromkeys(name.rsplit("floor ")[1] for name in rows))
    heads = list(dict.fromkeys(name.rsplit(", floor ")[0] for name in rows))
    body = [[head, *(f"{rows[f'{head}, floor {floor}']['mrr']:.3f}" for floor in floors)] for head in heads]
    return table(["", *(f"floor {floor}" for floor in floors)], body)


def _calibration(rows: Mapping[str, Row]) -> str:
    body = [[name, f"{r['skewness']:.2f}", f"{r['off']:.3f}", f"{r['on']:.3f}"] for name, r in rows.items()]
    return table(["", "skewness", "off", "on"], body)
