"""How well methods find, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .tables import print_table


def print_figures(measured: Sequence[Mapping[str, float | str]]) -> None:
    """A line for each method."""
    rows = [[f["method"], *(f"{f[key]:.3f}" for key in ("top1", "top5", "mrr", "average_rank"))] for f in measured]
    print_table(["method", "top-1", "top-5", "MRR", "average rank"], rows)
