"""A prompt as the WebUIs write it: `<lora:name:weight>` tags, emphasis, and the words that are left without them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ModelSearchError

TAG = re.compile(r"<(\w+):([^>]+)>")
WEIGHT = re.compile(r":\s*[-+]?[\d.]+\s*(?=[)\]])")
SYNTAX = re.compile(r"\\?[()\[\]{}|]|\b(?:BREAK|AND)\b")
LORA_TAGS = ("lora", "lyco")


@dataclass(frozen=True)
class LoraTag:
    """What stands in `<lora:name:weight>`; what other parts it may have are left out."""

    name: str
    weight: float

    def __str__(self) -> str:
        return f"<lora:{self.name}:{self.weight:g}>"


def lora_tag(name: str, weight: float) -> LoraTag:
    """ModelSearchError for a name that a prompt cannot hold."""
    if found := sorted(set(name) & set(":<>")):
        raise ModelSearchError(f"{name!r} cannot stand in a prompt because of {' '.join(found)}; rename the file")
    return LoraTag(name, round(weight, 3))


def loras_in(prompt: str) -> list[str]:
    """The names of the LoRA that a prompt applies, in order."""
    return [parts.split(":")[0].strip() for kind, parts in TAG.findall(prompt) if kind.casefold() in LORA_TAGS]


def with_lora(prompt: str, tag: LoraTag, words: Sequence[str] = ()) -> str:
    """The prompt with the tag at its end, and with those trigger words before it that are not in it yet."""
    there = {part.casefold() for part in _parts(prompt)}
    new = [word for word in words if word.casefold() not in there]
    text = ", ".join([part for part in (prompt.rstrip().rstrip(",").rstrip(), *new) if part])
    return f"{text} {tag}" if text else str(tag)


def without_lora(prompt: str, name: str, words: Sequence[str] = ()) -> str:
    """The prompt without that LoRA's tags, and without its trigger words where they stand between commas."""
    text = re.sub(rf"[ \t]*{TAG.pattern}", lambda tag: "" if loras_in(tag[0]) == [name] else tag[0], prompt)
    dropped = {word.casefold() for word in words}
    kept = [part for part in text.split(",") if _bare(part) not in dropped]
    return ",".join(kept).strip(" \t,")


def plain_words(prompt: str) -> str:
    """What the prompt says, without tags, weights and brackets."""
    text = SYNTAX.sub(" ", WEIGHT.sub("", TAG.sub(" ", prompt)))
    return re.sub(r"\s*,(?:\s*,)*\s*", ", ", re.sub(r"\s+", " ", text)).strip(" ,")


def _parts(prompt: str) -> list[str]:
    return [part for piece in TAG.sub("", prompt).split(",") if (part := piece.strip())]


def _bare(part: str) -> str:
    return part.strip().casefold()
