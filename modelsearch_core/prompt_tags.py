"""A prompt as the WebUIs write it: `<lora:name:weight>` tags, emphasis, and the words that are left without them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ModelSearchError

TAG = re.compile(r"<(\w+):([^<>]+)>")  # no name has a `<`: each is looked at once, however many are not closed
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


def lacking(prompt: str, words: Sequence[str]) -> list[str]:
    """Those words that do not stand between commas in the prompt yet, each once."""
    there = {part.casefold() for part in _parts(prompt)}
    return [word for word in dict.fromkeys(words) if word.casefold() not in there]


def with_words(prompt: str, words: Sequence[str]) -> str:
    """The prompt with those words at its end that are not in it yet."""
    return ", ".join(part for part in (prompt.rstrip().rstrip(",").rstrip(), *lacking(prompt, words)) if part)


def with_lora(prompt: str, tag: LoraTag, words: Sequence[str] = ()) -> str:
    """The prompt with the tag at its end, and with those trigger words before it that are not in it yet."""
    text = with_words(prompt, words)
    return f"{text} {tag}" if text else str(tag)


def without_lora(prompt: str, name: str, words: Sequence[str] = ()) -> str:
    """The prompt without that LoRA's tags and the `words` that were added with it."""
    return without_words(
        re.sub(rf"[ \t]*{TAG.pattern}", lambda tag: "" if loras_in(tag[0]) == [name] else tag[0], prompt), words
    )


def without_words(prompt: str, words: Sequence[str]) -> str:
    """The prompt without the last of each that stands between commas; tags behind it stay."""
    parts = prompt.split(",")
    for word in words:
        found = [place for place, part in enumerate(parts) if TAG.sub("", part).strip().casefold() == word.casefold()]
        if found:
            tags = [tag[0] for tag in TAG.finditer(parts[found[-1]])]
            parts[found[-1] : found[-1] + 1] = [" " + " ".join(tags)] if tags else []
    return ",".join(parts).strip(" \t,")


def plain_words(prompt: str) -> str:
    """What the prompt says, without tags, weights and brackets."""
    text = SYNTAX.sub(" ", WEIGHT.sub("", TAG.sub(" ", prompt)))
    return re.sub(r"\s*,(?:\s*,)*\s*", ", ", re.sub(r"\s+", " ", text)).strip(" ,")


def _parts(prompt: str) -> list[str]:
    return [part for piece in TAG.sub("", prompt).split(",") if (part := piece.strip())]
