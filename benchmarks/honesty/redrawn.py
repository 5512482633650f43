"""Copies of an index whose line drawings another drawer has made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from modelsearch_core.catalog import Catalog
from modelsearch_core.drawing import WITHOUT_WEIGHTS, Draw, digest_of
from modelsearch_core.search import ModelIndex
from modelsearch_core.search.preparing import prepare


def in_turn(*draws: Draw) -> Draw:
    """Each picture by one of them, always the same."""
    return lambda image: draws[int(digest_of(image)[:8], 16) % len(draws)](image)


def by_the_others(catalog: Path, folder: Path) -> dict[str, Path]:
    """Of each bundled drawer, a copy that all others have drawn in turn."""
    return {
        name: redrawn(
            catalog,
            in_turn(*(drawer for other, drawer in WITHOUT_WEIGHTS.items() if other != name)),
            folder / f"drawn_by_all_but_{name}.sqlite",
        )
        for name in WITHOUT_WEIGHTS
    }


def by_all(catalog: Path, folder: Path) -> Path:
    """A copy that all bundled drawers have drawn in turn."""
    return redrawn(catalog, in_turn(*WITHOUT_WEIGHTS.values()), folder / "drawn_by_all.sqlite")


def redrawn(catalog: Path, draw: Draw, copy: Path) -> Path:
    """The same pictures, drawn by `draw`; a copy that is there already is taken as it is."""
    if copy.is_file():
        return copy
    part = copy.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(catalog)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
    with Catalog(part) as writable, ModelIndex.open(part, device="cpu") as index:  # the writer closes last: one file
        collection = index.collection
        for m in map(int, collection.all):
            of = collection.specification(m)
            pictures = dict(writable.sample_images(*collection.entries[m].key).items())
            drawn = index.encoder.encode_images([draw(pictures[int(number)]) for number in of.numbers])
            writable.put_specification(replace(of, drawings=drawn))
        prepare(writable, index.encoder, draw, refresh=True)
    return part.replace(copy)
