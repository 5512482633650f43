"""Families by what trainers, hubs and authors call them."""

from __future__ import annotations

import re
from functools import lru_cache

from .record import Family, Lineage, Variant, known
from .registry import FAMILIES


@lru_cache(maxsize=4096)
def family_called(text: str) -> Family | None:
    """The family that a word of metadata or a hub's base model names: the longest beginning that is known.

    `flux-1-dev/lora`, `Flux.1 D`, `stabilityai/stable-diffusion-xl-base-1.0`, `Wan Video 2.2 T2V-A14B`, `Illustrious`.
    """
    for name in _names_in(text):
        named = ((word, family) for family in FAMILIES.values() for word in known(family.words) if _begins(name, word))
        found = max(named, key=lambda each: len(each[0]), default=None)
        if found:
            return found[1]
    return None


@lru_cache(maxsize=256)
def family_of_class(name: str) -> Family | None:
    """The family of a class of diffusers (`Flux2Transformer2DModel`, `KolorsPipeline`), or of nunchaku's so named."""
    plain = name.removeprefix("Nunchaku")
    starts = ((start, family) for family in FAMILIES.values() for start in known(family.classes))
    named = (each for each in starts if plain.startswith(each[0]))
    return max(named, key=lambda each: len(each[0]), default=(None, None))[1]


def variant_called(family: Family, text: str) -> Variant | None:
    """The variant of a family that such a word names."""
    named = ((each, word) for each in known(family.variants) for word in each.words)
    return next((each for each, word in named if any(_begins(name, word) for name in _names_in(text))), None)


@lru_cache(maxsize=4096)
def lineage_in(family: str, text: str) -> Lineage | None:
    """The lineage within a family that a hint or a file's name speaks of."""
    record = FAMILIES.get(family)
    lineages = known(record.lineages) if record else ()
    return next((each for each in lineages if re.search(each.pattern, text.lower())), None)


def _names_in(text: str) -> tuple[str, ...]:
    """A hub's repository by its own name before its owner's: `hunyuanvideo-community/HunyuanVideo-1.5`."""
    return (text.rpartition("/")[2], text) if "/" in text else (text,)


def _begins(text: str, word: str) -> bool:
    """Whether `word` is what a text begins with, nothing but letters and digits counted, and is no part of a longer
    word: `wan` begins `Wan2.2`, not `wanderer`."""
    found = 0
    for place, letter in enumerate(text):
        if letter.isascii() and letter.isalnum():
            if letter.lower() != word[found]:
                return False
            found += 1
            if found == len(word):
                after = text[place + 1 : place + 2]
                return not (word[-1].isalpha() and after.isascii() and after.islower())
    return False
