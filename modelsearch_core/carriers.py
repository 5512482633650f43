"""Prompts that a text is put behind, to see what it adds to them (CARLoS, arXiv 2512.08826).

Δ_q = mean over carriers c of t(c + ", " + q) − t(c).
"""

from __future__ import annotations

from collections.abc import Sequence

from .probes import default_probes

COUNT = 16


def carriers() -> list[str]:
    """The first probes' prompts."""
    return [probe.prompt for probe in default_probes(COUNT)]


def behind(carrier: str, text: str) -> str:
    return f"{carrier}, {text}"


def one_each(texts: Sequence[str]) -> list[tuple[str, str]]:
    """(carrier, carrier with text) with one carrier for each text, in turn: a cheap Δ for a bank of many texts."""
    turn = carriers()
    return [(turn[n % COUNT], behind(turn[n % COUNT], text)) for n, text in enumerate(texts)]
