"""Families by what trainers, hubs and authors call them."""

from __future__ import annotations

import re
from functools import lru_cache

from .record import Family, Lineage, Variant, known
from .registry import FAMILIES

_EMPTY = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def family_called(text: str) -> Family | None:
    """The family that a word of metadata or a hub's base model names: the longest beginning that is known.

    `flux-1-dev/lora`, `Flux.1 D`, `sdxl_base_v1-0`, `Wan Video 2.2 T2V-A14B`, `Illustrious`.
    """
    plain = _EMPTY.sub("", text.lower())
    found = [
        (len(word), family) for family in FAMILIES.values() for word in known(family.words) if plain.startswith(word)
    ]
    return max(found, key=lambda each: each[0])[1] if found else None


@lru_cache(maxsize=256)
def family_of_class(name: str) -> Family | None:
    """The family of a diffusers class (`Flux2Transformer2DModel`), or of nunchaku's of the same name."""
    plain = name.removeprefix("Nunchaku")
    starts = ((start, family) for family in FAMILIES.values() for start in known(family.classes))
    named = (each for each in starts if plain.startswith(each[0]))
    return max(named, key=lambda each: len(each[0]), default=(None, None))[1]


def variant_called(family: Family, text: str) -> Variant | None:
    """The variant of a family that such a word names."""
    plain = _EMPTY.sub("", text.lower())
    return next((each for each in known(family.variants) if plain.startswith(each.words or ("\n",))), None)


@lru_cache(maxsize=4096)
def lineage_in(family: str, text: str) -> Lineage | None:
    """The lineage within a family that a hint or a file's name speaks of."""
    record = FAMILIES.get(family)
    lineages = known(record.lineages) if record else ()
    return next((each for each in lineages if re.search(each.pattern, text.lower())), None)
