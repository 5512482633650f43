"""What a hub or an author says that a model is for, where its own file leaves it open."""

from __future__ import annotations

from .architecture import Recognised, settled


def settled_by_hint(found: Recognised, hint: str | None) -> Recognised:
    """Between twins, `Chroma` in a sidecar decides as a trainer's word in the header does."""
    return settled(found, [hint] if hint else [])
