"""The zoo's tokenizer: CLIP's byte-pair encoding with merges that make every word of the world one token."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import regex

from .styles import FAMILIES, Choice, Range, Style
from .subjects import PLURALS, SUBJECTS
from .world import BACKGROUNDS, COLOURS

START, END = "<|startoftext|>", "<|endoftext|>"
EXTRA = [
    "a",
    "an",
    "the",
    "of",
    "in",
    "on",
    "with",
    "and",
    "picture",
    "painting",
    "drawing",
    "photo",
    "sketch",
    "style",
    "image",
    "art",
    "line",
    "portrait",
    "landscape",
    "one",
    "two",
    "three",
    "black",
    "white",
    "grey",
    "small",
    "large",
    "big",
    "little",
    "many",
    "no",
    "by",
    "day",
    "at",
    "night",
    "under",
    "over",
    "near",
    "bright",
    "dark",
    "pattern",
    "print",
    "person",
    "woman",
    "man",
    "face",
    "dog",
    "city",
    "street",
    "mountain",
    "forest",
    "sea",
    "sun",
    "sky",
    "grass",
    "water",
    "river",
    "beach",
    "garden",
    "flower",
    "food",
    "fruit",
    "bottle",
    "chair",
    "table",
    "window",
    "castle",
    "dragon",
    "ship",
    "train",
    "bridge",
    "road",
    "animal",
    "horse",
    "lion",
    "butterfly",
    "abstract",
    "shape",
    "sunset",
    "winter",
    "snow",
    "spring",
    "summer",
    "colourful",
    "simple",
    "detailed",
    "texture",
    "close",
    "up",
    "view",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "teal",
    "glimmer",
    "vortek",
    "zumba",
    "kelpo",
    "hexa",
]


def words() -> list[str]:
    """Every word of the world's captions, styles and the general words above, each once."""
    phrases = [*COLOURS, *BACKGROUNDS.values(), *SUBJECTS, *(PLURALS.get(s, s + "s") for s in SUBJECTS)]
    phrases += ["a line drawing of", "a black and white drawing of", "a sketch", "a picture", *EXTRA]
    for family in FAMILIES.values():
        options = [
            (r.low, (r.low + r.high) / 2, r.high) if isinstance(r, Range) else r.options
            for r in family.values.values()
            if isinstance(r, Range | Choice)
        ]
        for values in product(*options):
            phrases += family.words(**Style(family.name, dict(zip(family.values, values, strict=True))).values)
    return sorted({w for p in phrases for w in regex.findall(r"[a-z]+", p.lower())})


def merges(vocabulary: Sequence[str]) -> list[tuple[str, str]]:
    """Byte-pair encoding learned until every word is one token."""
    return list(_merges(tuple(vocabulary)))


@cache
def _merges(vocabulary: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    parts = [(*w[:-1], w[-1] + "</w>") for w in vocabulary]
    learned: list[tuple[str, str]] = []
    while any(len(p) > 1 for p in parts):
        pairs = Counter(pair for p in parts for pair in pairwise(p))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learned.append(best)
        parts = [_merged(p, best) for p in parts]
    return tuple(learned)


def _merged(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    out: list[str] = []
    i = 0
    while i < len(parts):
        if parts[i : i + 2] == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def byte_letters() -> list[str]:
    """CLIP's printable stand-ins for the 256 bytes, in its order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [256 + i for i in range(256 - len(plain))]
    return [chr(c) for c in plain + others]


def save(folder: Path, pad: str = END, known: Sequence[str] = ()) -> None:
    """vocab.json, merges.txt and settings, as transformers' CLIPTokenizer (slow or fast) reads them.

    `known` words are one token each; the procedural world's unless others are given.
    """
    learned = merges(known or words())
    tokens = byte_letters() + [c + "</w>" for c in byte_letters()] + ["".join(m) for m in learned] + [START, END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(
        json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False), encoding="utf-8"
    )
    (folder / "merges.txt").write_text(
        "#version: 0.2\n" + "\n".join(" ".join(m) for m in learned) + "\n", encoding="utf-8"
    )
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    settings = special | {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))


def save_bpe(path: Path, known: Sequence[str] = ()) -> None:
    """The same merges in the form of open_clip's `SimpleTokenizer(bpe_path=…)`."""
    lines = ["#version: 0.2", *(" ".join(m) for m in merges(known or words()))]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
