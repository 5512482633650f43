"""Prompts that a text is put behind, to see what it adds to them (CARLoS, arXiv 2512.08826; docs/methods.md 5).

Δ_q = mean over carriers c of t(c + ", " + q) − t(c).
"""

from __future__ import annotations

from collections.abc import Sequence

from .probes import Probe, default_probes

COUNT = 16


def carriers(probes: Sequence[Probe] | None = None) -> list[str]:
    """The first probes' prompts, each once; of the default probes if none are given."""
    return list(dict.fromkeys(probe.prompt for probe in probes or default_probes(COUNT)))[:COUNT]


def behind(carrier: str, text: str) -> str:
    return f"{carrier}, {text}"


def behind_all(texts: Sequence[str], carriers: Sequence[str]) -> list[str]:
    """Every text behind every carrier, text by text."""
    return [behind(carrier, text) for text in texts for carrier in carriers]


def one_each(texts: Sequence[str], turn: Sequence[str]) -> list[tuple[str, str]]:
    """(carrier, carrier with text) with one carrier for each text, in turn: a cheap Δ for a bank of many texts."""
    return [(turn[n % len(turn)], behind(turn[n % len(turn)], text)) for n, text in enumerate(texts)]
