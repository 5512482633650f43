"""Texts that have nothing to do with a query: what scores are compared with (docs/methods.md 10)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from importlib import util
from pathlib import Path

import numpy as np

from .encoders.phrases import own_list

COUNT = 512
SEED = 21_000
TEMPLATE = "a picture of {}"  # neutral as to medium: the models searched paint as often as they photograph
EACH = 64  # of `compared_texts`: of each form, twice as many
NAME_WORDS = 3  # of a bare name, at most
ARTICLES = frozenset({"a", "an", "the"})
COMMAS = frozenset(",，、")


class Form(IntEnum):
    """How a text is written. The same thing by its name, in a sentence or in a prompt is near to other models."""

    NAME = 0
    SENTENCE = 1
    PROMPT = 2


@cache
def background_texts(count: int = COUNT, seed: int = SEED) -> list[str]:
    """`count` generic names: ImageNet-21k's where timm is there (open_clip brings it), else this project's subjects."""
    names = imagenet_names() or own_list("subjects")
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [TEMPLATE.format(names[i]) for i in sorted(chosen)]


@cache
def compared_texts() -> list[str]:
    """The texts that scores of texts are compared with, put behind all templates as a query is: things as people name
    them, in a few words or one, and prompts as people write them, which find more alike in any collection."""
    names = background_texts()
    step = max(1, len(names) // EACH)
    framed, bare, prompted = [
        [text for start in starts for text in names[start::step][:EACH]] for starts in ((0, 4), (2, 6), (1, 5))
    ]
    return list(dict.fromkeys([*framed, *unframed(bare), *as_prompts(unframed(prompted))]))


def unframed(texts: Sequence[str]) -> list[str]:
    """The names alone."""
    return [text.removeprefix(TEMPLATE.format("")) for text in texts]


def as_prompts(things: Sequence[str]) -> list[str]:
    """Each with a medium and a flavour, every other one of the project's lists: the rest is for benchmarks."""
    rng = np.random.default_rng(SEED + 1)
    mediums, flavours = (own_list(name)[::2] for name in ("mediums", "flavours"))
    return [f"{thing}, {rng.choice(mediums)}, {rng.choice(flavours)}" for thing in things]


def form_of(text: str) -> Form:
    """A prompt is written in parts; a name is a few words without an article."""
    if not COMMAS.isdisjoint(text):
        return Form.PROMPT
    words = text.casefold().split()
    return Form.NAME if len(words) <= NAME_WORDS and not ARTICLES & set(words[:1]) else Form.SENTENCE


def imagenet_names() -> list[str]:
    """The first name of each of ImageNet-21k's synsets, from timm's data, without importing it; else nothing."""
    found = util.find_spec("timm")
    if found is None or not found.submodule_search_locations:
        return []
    path = Path(next(iter(found.submodule_search_locations))) / "data" / "_info" / "imagenet_synset_to_lemma.txt"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.partition("\t")[2].split(",")[0].strip() for line in lines if "\t" in line]
