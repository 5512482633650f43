"""A reference set that costs nothing: squares of a few shades, which are their own drawings."""

from __future__ import annotations

from PIL import Image

from modelsearch_core.reference_set import ReferenceSet


def plain_references(count: int = 4, *, first: int = 0, drawer: str = "none") -> ReferenceSet:
    shades = [(10 * (first + number) % 256,) * 3 for number in range(count)]
    pictures = tuple(Image.new("RGB", (16, 16), shade) for shade in shades)
    return ReferenceSet(
        names=tuple(f"subject {number}" for number in range(count)), subjects=pictures, drawings=pictures, drawer=drawer
    )
