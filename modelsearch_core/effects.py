"""LoRA that change nothing: all weights zero, or none of their layers taken by the engine that asks them."""

from __future__ import annotations

from .catalog import Catalog
from .scores.differences import NO_EFFECT


def without_effect(catalog: Catalog, encoder: str) -> set[str]:
    """Fingerprints of LoRA whose newest pictures are those of their base."""
    changes = catalog.facets(encoder)
    keys = [(fingerprint, digest) for fingerprint, digest, _, _ in catalog.specification_keys(encoder)]  # newest last
    latest = {key[0]: changes[key][0] for key in keys if key in changes}
    return {fingerprint for fingerprint, strength in latest.items() if strength <= NO_EFFECT}
