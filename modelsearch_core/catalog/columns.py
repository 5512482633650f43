"""What is derived of every model, in a few large rows of `collection_statistic`: read in one go when it is needed.

A part is of some models, each named by its fingerprint and the stamp of what was derived from: one that was measured
again since is not found, and worked out by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arrays
from .statistics import Statistics

PART = 2**16  # models at most, so that no row comes near what SQLite and PostgreSQL hold (1 GB)

Who = tuple[str, int]  # (fingerprint, stamp)


class Part(NamedTuple):
    who: list[Who]
    arrays: Mapping[str, NDArray[Any]]


def put(table: Statistics, encoder: str, name: str, version: int, parts: Iterable[Part]) -> None:
    """In place of what was there."""
    with table.transaction():
        number = -1
        for number, part in enumerate(parts):
            table.put_of_collection(encoder, _named(name, number), version, _to_blob(part))
        while table.has_of_collection(encoder, _named(name, number := number + 1), version):
            table.drop_of_collection(encoder, _named(name, number))


def read(table: Statistics, encoder: str, name: str, version: int) -> list[Part]:
    """Nothing where it was never worked out."""
    parts: list[Part] = []
    while (blob := table.of_collection(encoder, _named(name, len(parts)), version)) is not None:
        parts.append(_from_blob(blob))
    return parts


def is_there(table: Statistics, encoder: str, name: str, version: int) -> bool:
    return table.has_of_collection(encoder, _named(name, 0), version)


def text(words: Sequence[str]) -> NDArray[np.uint8]:
    """Texts as bytes, since arrays of objects would be pickled."""
    return np.frombuffer("\0".join(words).encode(), np.uint8)


def words(array: NDArray[Any]) -> list[str]:
    found = np.asarray(array, np.uint8).tobytes().decode()
    return found.split("\0") if found else []


def _named(name: str, part: int) -> str:
    return f"{name}.{part}"


def _to_blob(part: Part) -> bytes:
    fingerprints, stamps = text([who for who, _ in part.who]), np.array([stamp for _, stamp in part.who], np.int64)
    return arrays.to_blob({"who": fingerprints, "stamps": stamps, **part.arrays})


def _from_blob(blob: bytes) -> Part:
    found = arrays.from_blob(blob)
    who = list(zip(words(found.pop("who")), found.pop("stamps").tolist(), strict=True))
    return Part(who, found)
