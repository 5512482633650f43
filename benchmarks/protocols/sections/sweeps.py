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
