"""LoRA that change nothing: all weights zero, or none of their layers taken by the engine that asks them."""

from __future__ import annotations

from .catalog import Catalog
from .scores.differences import NO_EFFECT


def without_effect(catalog: Catalog, encoder: str) -> set[str]:
    """Fingerprints of LoRA whose newest pictures are those of their base."""
    changes = {each.fingerprint: each.strength for each in catalog.measured(encoder) if each.strength is not None}
    return {fingerprint for fingerprint, strength in changes.items() if strength <= NO_EFFECT}
