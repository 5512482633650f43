"""The words that the zoo's CLIP reads, one token each: those of captions, and frequent English words that are near to them.

WordPiece, as BERT has it: what is no word is read by its letters. The end of a text has the largest number, as CLIP's
pooling wants it.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

FREQUENT = 60_000  # English words to choose from, by how often they are used
COUNT = 5_740  # words in all
PAD, UNKNOWN, MASK, START, END = "[PAD]", "[UNK]", "[MASK]", "[CLS]", "[SEP]"
ENDINGS = ("s", "es", "ed", "ing", "ly", "er", "y", "like")


def frequent() -> list[str]:
    import wordfreq  # pyright: ignore[reportMissingImports] - of the `zoo` extra

    return [word for word in wordfreq.top_n_list("en", FREQUENT) if regex.fullmatch("[a-z]{3,14}", word)]


def nearest(words: Sequence[str], cosines: NDArray[np.floating], known: Sequence[str], count: int) -> list[str]:
    """`known`, and as many of the words as make it `count`: of every phrase, by cosines (words, phrases), the nearest
    one, the second, and so on; no plural of a word that is there."""
    chosen = dict.fromkeys(known)
    for row in np.argsort(-cosines, axis=0, kind="stable"):
        for word in dict.fromkeys(words[number] for number in row):
            if len(chosen) == count:
                return list(chosen)
            if word not in chosen and word.removesuffix("s") not in chosen:
                chosen[word] = None
    return list(chosen)


def tokens(words: Sequence[str]) -> list[str]:
    letters = [*string.ascii_lowercase, *string.digits]
    first = [PAD, UNKNOWN, MASK, *string.punctuation, *letters, *(f"##{part}" for part in (*letters, *ENDINGS))]
    return list(dict.fromkeys([*first, *words, START, END]))


def save(folder: Path, words: Sequence[str]) -> None:
    """vocab.txt and settings, as transformers' BertTokenizer (slow or fast) reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens(words)) + "\n", encoding="utf-8")
    special = {"pad_token": PAD, "unk_token": UNKNOWN, "cls_token": START, "sep_token": END}
    settings = special | {"tokenizer_class": "BertTokenizer", "model_max_length": 77, "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def tokenizer(folder: Path) -> Any:
    from transformers import BertTokenizer

    return BertTokenizer(str(folder / "vocab.txt"))


def words_of(folder: Path) -> list[str]:
    """The whole words that a tokenizer's folder has."""
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split()
    return [line for line in lines if regex.fullmatch("[a-z]{2,}", line)]
