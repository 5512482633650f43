"""The WebUIs' infotext: prompt, negative prompt, and a line of settings. Fooocus writes it too, if it is told to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..model_files import Kind
from ..prompt_tags import LORA_TAGS, TAG
from .mention import Mention, strength_of

SETTINGS = re.compile(r"^[^\S\n]*Steps: \d", re.MULTILINE)
NEGATIVE = re.compile(r"^[^\S\n]*Negative prompt:", re.MULTILINE)
CHECKPOINT = re.compile(r"(?:^|,\s*|\n)Model:\s*([^,\n]+)")
CHECKPOINT_HASH = re.compile(r"(?:^|,\s*|\n)Model hash:\s*([0-9a-fA-F]{8,64})")
SEED = re.compile(r"(?:^|,\s*|\n)Seed:\s*(\d+)")
QUOTED = r"(?:^|,\s*|\n){}:\s*\"([^\"]+)\""
LORA_HASHES, LORA_WEIGHTS = (re.compile(QUOTED.format(name)) for name in ("Lora hashes", "Lora weights"))
HASHES = re.compile(r"(?:^|,\s*|\n)Hashes:\s*(\{[^{}]*\})")


def prompt_of(text: str) -> str:
    """What was asked for; the whole text where nothing tells an infotext."""
    ends = [found.start() for pattern in (NEGATIVE, SETTINGS) if (found := pattern.search(text))]
    return text[: min(ends, default=len(text))].strip()


def seed_of(text: str) -> str:
    """Empty where none is told."""
    found = SEED.search(_settings(text))
    return found[1] if found else ""


def mentions_of(text: str) -> Iterator[Mention]:
    """Of an infotext, or of any prompt with tags."""
    yield from tagged(text)
    settings = _settings(text)
    if not settings:
        return
    weights = dict(_pairs(LORA_WEIGHTS, settings))
    hashes = {**_civitai_hashes(settings), **dict(_pairs(LORA_HASHES, settings))}
    for name in dict.fromkeys((*hashes, *weights)):
        yield Mention(name, Kind.LORA, strength_of(weights.get(name, "").split(":")[-1]), hashes.get(name, ""))
    told = CHECKPOINT_HASH.search(settings)
    for name in CHECKPOINT.findall(settings):
        yield Mention(name.strip(), Kind.CHECKPOINT, hash=told[1] if told else "")


def tagged(text: str) -> Iterator[Mention]:
    """LoRA that a prompt applies by tags; `<lora:name:0.5:1>` is for the text encoder and the denoiser."""
    for kind, inner in TAG.findall(text):
        name, *rest = inner.split(":")
        if kind.casefold() in LORA_TAGS and name.strip():
            yield Mention(name.strip(), Kind.LORA, _strength(rest))


def _strength(parts: list[str]) -> float:
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = [part for part in parts if "=" not in part]
    return strength_of(named.get("unet", plain[1] if len(plain) > 1 else next(iter(plain), named.get("te", "1"))))


def _settings(text: str) -> str:
    found = SETTINGS.search(text)
    return text[found.start() :] if found else ""


def _pairs(pattern: re.Pattern[str], settings: str) -> Iterator[tuple[str, str]]:
    """(name, what stands behind it)."""
    for block in pattern.findall(settings):
        for entry in block.split(","):
            name, colon, value = entry.partition(":")
            if colon and name.strip():
                yield name.strip(), value.strip()


def _civitai_hashes(settings: str) -> dict[str, str]:
    """`Hashes: {"model": "…", "lora:name": "…"}`."""
    found = HASHES.search(settings)
    try:
        told: Any = json.loads(found[1]) if found else {}
    except ValueError:
        return {}
    return {name[5:]: str(value) for name, value in told.items() if name.startswith("lora:")}
