"""Texts that have nothing to do with a query: what scores are compared with (docs/methods.md 10)."""

from __future__ import annotations

from functools import cache
from importlib import util
from pathlib import Path

import numpy as np

from .encoders.phrases import own_list

COUNT = 512
COMPARED = 256  # of them that are put behind carriers, all of these, as a query is
SEED = 21_000
TEMPLATE = "a picture of {}"  # neutral as to medium: the models searched paint as often as they photograph


@cache
def background_texts(count: int = COUNT, seed: int = SEED) -> list[str]:
    """`count` generic names: ImageNet-21k's where timm is there (open_clip brings it), else this project's subjects."""
    names = imagenet_names() or own_list("subjects")
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [TEMPLATE.format(names[i]) for i in sorted(chosen)]


def compared_texts() -> list[str]:
    """The texts that scores of texts are compared with: evenly out of the background's."""
    texts = background_texts()
    return texts[:: max(1, len(texts) // COMPARED)][:COMPARED]


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
