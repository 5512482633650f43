"""Prompts that a text is put behind, to see what it adds to them (CARLoS, arXiv 2512.08826; docs/methods.md 5).

Δ_q = mean over templates c of t(c + ", " + q) − t(c).
"""

from __future__ import annotations

from collections.abc import Sequence

from .probes import Probe, default_probes

COUNT = 16


def templates(probes: Sequence[Probe] | None = None) -> list[str]:
    """The first probes' prompts, each once; of the default probes if none are given."""
    return list(dict.fromkeys(probe.prompt for probe in probes or default_probes(COUNT)))[:COUNT]


def behind(template: str, text: str) -> str:
    return f"{template}, {text}"


def behind_all(texts: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Every text behind every template, text by text."""
    return [behind(template, text) for text in texts for template in templates]
