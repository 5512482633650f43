"""Texts that have nothing to do with a query: what scores are compared with (METHODS, section 7)."""

from __future__ import annotations

from functools import cache
from importlib import util
from pathlib import Path

import numpy as np

from .encoders.interrogator import own_list

COUNT = 512
SEED = 21_000


@cache
def background_texts(count: int = COUNT) -> list[str]:
    """`count` generic names: ImageNet-21k's where timm is there (open_clip brings it), else this project's phrases."""
    names = _imagenet_names() or [*own_list("subjects"), *own_list("styles")]
    chosen = np.random.default_rng(SEED).permutation(len(names))[:count]
    return [f"a picture of {names[i]}" for i in sorted(chosen)]


def _imagenet_names() -> list[str]:
    found = util.find_spec("timm")
    if found is None or not found.submodule_search_locations:
        return []
    path = Path(found.submodule_search_locations[0]) / "data" / "_info" / "imagenet_synset_to_lemma.txt"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.partition("\t")[2].split(",")[0].strip() for line in lines if "\t" in line]
