"""A model as a picture names it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model_files import Kind


@dataclass(frozen=True)
class Mention:
    """`kind` is None where only a name is told; `weight` is a LoRA's strength, `hash` what stands beside the name."""

    name: str
    kind: Kind | None
    weight: float = field(default=1.0, compare=False)
    hash: str = field(default="", compare=False)


def strength_of(value: object) -> float:
    """A strength as people and programs write it; 1 where that is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 1.0
    try:
        found = float(value)
    except (ValueError, OverflowError):  # a whole number of hundreds of digits
        return 1.0
    return found if abs(found) <= 100 else 1.0  # nor is it NaN
