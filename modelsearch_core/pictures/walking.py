"""Picture files below folders, from directory listings alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif")


class Found(NamedTuple):
    """A picture. `state` changes when the file does."""

    path: str
    state: str
    modified: int  # nanoseconds since the epoch


@dataclass
class Walk:
    """`unread` are folders that could not be listed: what is known of them is not gone."""

    unread: list[str] = field(default_factory=list[str])
    _visited: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def below(self, folder: str) -> Iterator[Found]:
        """In no fixed order; links are followed, each folder is entered once."""
        pending = [folder]
        while pending:
            place = pending.pop()
            try:
                state = os.stat(place)  # noqa: PTH116  a hundred thousand Path objects take seconds
                if (state.st_dev, state.st_ino) in self._visited:
                    continue
                self._visited.add((state.st_dev, state.st_ino))
                with os.scandir(place) as listing:
                    entries = [entry for entry in listing if not entry.name.startswith(".")]
            except OSError:
                self.unread.append(place)
                continue
            for entry in entries:
                if entry.name.lower().endswith(ENDINGS):
                    yield from _picture(entry)
                elif _is_folder(entry):
                    pending.append(entry.path)


def walk() -> Walk:
    """A new one, which has visited nothing."""
    return Walk()


def _picture(entry: os.DirEntry[str]) -> Iterator[Found]:
    try:
        entry.name.encode()
        state = entry.stat()
    except (OSError, UnicodeEncodeError):  # gone by now, or a name that cannot be stored
        return
    if not entry.is_dir():
        yield Found(entry.path, f"{state.st_size} {state.st_mtime_ns}", state.st_mtime_ns)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
