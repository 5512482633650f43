"""Models that lie in several numbered files (`…-00001-of-00003.safetensors`): shards, of which none is a model itself.

An index beside them (`….safetensors.index.json`) stands for the whole model where there is one, else its first shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

INDEX_SUFFIX = ".safetensors.index.json"
_NUMBERED = re.compile(r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.safetensors")


class Shards(NamedTuple):
    """The files of one model, in order. `path` stands for it; `missing` are numbers of files that are not there."""

    path: Path
    files: tuple[Path, ...]
    missing: tuple[int, ...] = ()

    @property
    def problem(self) -> str:
        """What is wrong with the whole, empty if nothing is."""
        if not self.missing:
            return ""
        total = len(self.files) + len(self.missing)
        return f"a shard of a model in {total} files, of which number {self.missing[0]} is missing; download it again"


def is_shard(name: str) -> bool:
    return _NUMBERED.fullmatch(name) is not None


def shards_among(folder: Path, names: Iterable[str]) -> list[Shards]:
    """The models in shards among the names in a folder."""
    there = set(names)
    numbered: dict[tuple[str, str], dict[int, str]] = {}
    for found in filter(None, map(_NUMBERED.fullmatch, sorted(there))):
        numbered.setdefault((found["name"], found["total"]), {})[int(found["number"])] = found[0]
    return [_shards(folder, there, name, int(total), files) for (name, total), files in numbered.items()]


def shards_of(path: Path) -> Shards | None:
    """The model that an index or a shard at `path` belongs to; None for a file that is whole. Raises OSError."""
    if not is_shard(path.name) and not path.name.endswith(INDEX_SUFFIX):
        return None
    models = shards_among(path.parent, [each.name for each in path.parent.iterdir()])
    return next((each for each in models if path == each.path or path in each.files), None)


def files_of(path: Path) -> Sequence[Path]:
    """The files that hold the tensors of the model at `path`."""
    found = shards_of(path)
    return found.files if found else (path,)


def _shards(folder: Path, there: set[str], name: str, total: int, numbered: dict[int, str]) -> Shards:
    files = tuple(folder / file for _, file in sorted(numbered.items()))
    missing = tuple(number for number in range(1, min(total, 9999) + 1) if number not in numbered)
    index = f"{name}{INDEX_SUFFIX}"
    return Shards(folder / index if index in there else files[0], files, missing)
