"""Rows of the models that answers came down to last, as the catalog keeps them: a next question need not read them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from ..catalog.catalog import Packed

BYTES = 2**26  # of rows that are kept, 64 MB: of 1,900 models with 64 samples of 512 numbers

Name = tuple[object, ...]  # with the stamp of what was measured: rows that were measured anew have another


class KeptRows:
    """At most so many bytes; what was asked for longest ago goes first. Threads may share it."""

    def __init__(self, most: int = BYTES) -> None:
        self._most = most
        self._rows: OrderedDict[Name, Packed] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, names: Sequence[Name], read: Callable[[list[int]], Sequence[Packed]]) -> list[Packed]:
        """The rows of all names, in order; `read` gets the places of those that are not here."""
        with self._lock:
            found = {name: self._rows[name] for name in names if name in self._rows}
            for name in found:
                self._rows.move_to_end(name)
        missing = [place for place, name in enumerate(names) if name not in found]
        if missing:
            new = {names[place]: rows for place, rows in zip(missing, read(missing), strict=True)}
            self._keep(new)
            found |= new
        return [found[name] for name in names]

    def _keep(self, new: dict[Name, Packed]) -> None:
        with self._lock:
            for name, rows in new.items():
                old = self._rows.pop(name, None)  # another thread has read it, too
                self._rows[name] = rows
                self.bytes += _size(rows) - (_size(old) if old else 0)
            while self.bytes > self._most:
                _, rows = self._rows.popitem(last=False)
                self.bytes -= _size(rows)


def _size(rows: Packed) -> int:
    return len(rows.numbers) + len(rows.blob) + len(rows.density or b"")
