"""Which of the models of an index made a picture: what its file says first, then what it looks like."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from .errors import NonsenseError, UnknownModelError
from .picture_metadata import Mention, mentions
from .search import Filters, Match, ModelIndex, Query


@dataclass(frozen=True)
class Identified:
    """`named`: the file says so; then `match.relevance` is 1."""

    match: Match
    named: bool


@dataclass(frozen=True)
class Identification:
    """Named models first, then by likeness. `absent` are names that no model of the index has."""

    models: tuple[Identified, ...]
    absent: tuple[Mention, ...]


def identify(
    index: ModelIndex,
    picture: Image.Image,
    *,
    kind: str | None = None,
    among: Collection[Path] | None = None,
    k: int = 10,
) -> Identification:
    """The k models that most likely made the picture. NonsenseError where it shows nothing and its file names none."""
    told = [mention for mention in mentions(picture) if kind is None or mention.kind in (None, kind)]
    paths = {mention: _path(index, mention) for mention in told}
    here = [path for path in dict.fromkeys(paths.values()) if path is not None and (among is None or path in among)]
    query: Query | None = Query(images=[picture.convert("RGB")])
    try:
        by_looks = index.search(query, filters=Filters(kind=kind, among=among), k=k + len(told))
    except NonsenseError:
        if not here:
            raise
        query, by_looks = None, []
    named: list[Match] = []
    for path in here:
        asked = query or Query(text=[f"a picture by {path.stem}"])
        named += index.search(asked, filters=Filters(kind=kind, among=[path]), k=1)
    known = {match.id for match in named}
    found = [Identified(replace(match, relevance=1.0, weak=False), True) for match in named]
    found += [Identified(match, False) for match in by_looks if match.id not in known]
    ranked = tuple(replace(one, match=replace(one.match, rank=rank)) for rank, one in enumerate(found[:k], 1))
    return Identification(ranked, tuple(mention for mention, path in paths.items() if path is None))


def _path(index: ModelIndex, mention: Mention) -> Path | None:
    """A name may come with folders of the machine that made the picture."""
    parts = mention.name.replace("\\", "/").split("/")
    for name in dict.fromkeys(("/".join(parts[-2:]), parts[-1])):
        try:
            return index.collection.entries[index.row(name)].path
        except UnknownModelError:
            continue
    return None
