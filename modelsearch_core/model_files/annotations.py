"""What people wrote about a model, cleaned: words from headers and sidecars come from anyone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

MOST_WORDS = 64
LONGEST_WORD = 200
LONGEST_TITLE = 300
LONGEST_DESCRIPTION = 20_000
_BLOCK_TAG = re.compile(r"<(br|/p|/div|/li|/h\d|/tr)\b[^<>]*>", re.IGNORECASE)
_SCRIPT = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?(-->|\Z)", re.DOTALL)
_ENDLESS_NUMBER = re.compile(r"&#x?[0-9a-f]{8,};?", re.IGNORECASE)  # no letter has such; `html` would compute it
_LORA_CALL = re.compile(r"<(lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What one source says. An empty value means that it says nothing."""

    title: str = ""
    trigger_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str = ""
    base_hint: str | None = None
    preferred_weight: float | None = None


def first_of(sources: Iterable[Annotations]) -> Annotations:
    """Field by field, the first source that says anything."""
    known = list(sources)
    values: dict[str, Any] = {}
    for field in fields(Annotations):
        said = (getattr(source, field.name) for source in known)
        values[field.name] = next((value for value in said if value not in ("", (), None)), field.default)
    return Annotations(**values)


def clean_text(value: object, longest: int = LONGEST_DESCRIPTION) -> str:
    """Plain text: no HTML, no control characters, no half of a surrogate pair (SQLite refuses it)."""
    if not isinstance(value, str):
        return ""
    if value.isprintable() and "<" not in value and "&" not in value:
        return value.strip()[:longest]
    text = _SCRIPT.sub("", value[: 10 * longest])
    text = html.unescape(_ENDLESS_NUMBER.sub("", _TAG.sub("", _BLOCK_TAG.sub("\n", text))))
    text = text.encode("utf-8", "replace").decode()
    text = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
    return "\n".join(line for part in text.split("\n") if (line := part.strip(" \t"))).strip()[:longest]


def clean_title(value: object) -> str:
    return " ".join(clean_text(value, LONGEST_TITLE).split())


def clean_words(value: object) -> tuple[str, ...]:
    """Words of a list, or of a string with commas, each once. An entry of a list may be a list with commas itself."""
    entries: list[Any] = value if isinstance(value, list) else [value]
    words: dict[str, str] = {}
    for entry in entries[: 10 * MOST_WORDS]:
        text = _LORA_CALL.sub("", entry[:LONGEST_DESCRIPTION]) if isinstance(entry, str) else ""
        for part in re.split(r",|\|\||\n", text)[: 10 * MOST_WORDS]:
            word = " ".join(clean_text(part, LONGEST_WORD).split())
            if word:
                words.setdefault(word.casefold(), word)
    return tuple(words.values())[:MOST_WORDS]


def clean_weight(value: object) -> float | None:
    """A LoRA strength; zero is what A1111 writes for "not set"."""
    try:
        weight = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return weight if weight and abs(weight) <= 10 else None
