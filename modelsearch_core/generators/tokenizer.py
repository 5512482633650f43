"""The tokenizer of CLIP, in the two files that transformers reads, from the list of merges that open_clip ships.

Source: `simple_tokenizer.py` of openai/CLIP. The vocabulary is the 256 byte symbols, the same ending a word, one entry
a merge, and the two special tokens: 49408 in all.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

MERGES = 49152 - 256 - 2
SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def write_clip_tokenizer(folder: Path) -> None:
    """Writes vocab.json and merges.txt."""
    merges = _merges()
    symbols = _byte_symbols()
    tokens = [
        *symbols,
        *(f"{symbol}</w>" for symbol in symbols),
        *(merge.replace(" ", "") for merge in merges),
        *SPECIAL,
    ]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


def _merges() -> list[str]:
    import open_clip

    packed = Path(open_clip.__file__).with_name("bpe_simple_vocab_16e6.txt.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8").split("\n")[1 : MERGES + 1]


def _byte_symbols() -> list[str]:
    """A printable character for every byte: printable bytes stand for themselves, the others follow from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [*map(chr, printable), *map(chr, range(256, 256 + 256 - len(printable)))]
