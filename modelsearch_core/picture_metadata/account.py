"""All that a picture's file says, in one record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, cast

from PIL import Image

from ..model_files import Kind
from . import documents, graphs, infotext
from .mention import Mention
from .texts import texts_of

LONGEST_NAME = 500  # characters; no system has longer names of files
MOST_MENTIONS = 2000
PREFIXES = ("prompt:", "workflow:", "Workflow:", "parameters:")


@dataclass(frozen=True, kw_only=True)
class Account:
    """`loras` with their strengths, none of strength 0; `bases` are checkpoints and bare denoisers."""

    loras: tuple[Mention, ...] = ()
    bases: tuple[Mention, ...] = ()
    prompt: str = ""
    seed: str = ""


def mentions(image: Image.Image) -> list[Mention]:
    """The models that a picture's file names, each once, LoRA first; nothing where it says nothing."""
    once = dict.fromkeys(_mentions(_parts(image)))
    return sorted(once, key=lambda mention: mention.kind is not Kind.LORA)


def account_of(image: Image.Image) -> Account:
    """What a picture's file says of how it was made."""
    parts = _parts(image)
    found = _joined(_mentions(parts))
    return Account(
        loras=tuple(each for each in found if each.kind is Kind.LORA and each.weight),
        bases=tuple(each for each in found if each.kind not in (None, Kind.LORA)),
        prompt=next(filter(None, map(_prompt, parts)), ""),
        seed=next(filter(None, map(_seed, parts)), ""),
    )


def _parts(image: Image.Image) -> list[Any]:
    """Texts, and documents where they are JSON. What was queued is true of a picture; what stood on the screen beside
    it may have been changed by then, and has nodes that were not used."""
    parts = [_parsed(text) for text in texts_of(image)]
    if any(map(graphs.is_graph, parts)):
        parts = [each for each in parts if not _is_workflow(each)]
    return parts


def _parsed(text: str) -> Any:
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_workflow(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(cast("dict[str, Any]", document).get("nodes"), list)


def _mentions(parts: Iterable[Any]) -> Iterator[Mention]:
    """Not more than a picture can be made of, nor such as no file is called."""
    found = (infotext.mentions_of(each) if isinstance(each, str) else documents.mentions_in(each) for each in parts)
    return islice((each for each in chain.from_iterable(found) if len(each.name) <= LONGEST_NAME), MOST_MENTIONS)


def _prompt(part: Any) -> str:
    if isinstance(part, str):
        return infotext.prompt_of(part) if infotext.SETTINGS.search(part) else ""
    return documents.prompt_in(part)


def _seed(part: Any) -> str:
    return infotext.seed_of(part) if isinstance(part, str) else documents.seed_in(part)


def _joined(found: Iterable[Mention]) -> list[Mention]:
    """One for each name: a tag tells the strength, what stands behind it the hash."""
    known: dict[tuple[str, Kind | None], Mention] = {}
    for each in found:
        if not each.name.strip() or each.name.casefold() == "none":
            continue
        key = documents.bare(each.name), each.kind
        before = known.get(key)
        known[key] = each if before is None else _with_hash(before, each.hash)
    return list(known.values())


def _with_hash(mention: Mention, hash: str) -> Mention:
    return mention if mention.hash else Mention(mention.name, mention.kind, mention.weight, hash)
