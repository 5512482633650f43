"""The map of the collection, made once for each state of the catalog."""

from __future__ import annotations

import threading
from typing import Any

from ..similarity_map import collect, laid_out
from .library import Library


class CollectionMap:
    """Keeps the last map; those who ask while it is made wait for it, searches do not."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._made: tuple[int, dict[str, Any]] = 0, {}

    def map(self) -> dict[str, Any]:
        """EmptyCatalogError where there is no model yet."""
        with self._lock:
            with self._library.reading() as snapshot:
                serial = snapshot.serial
                collected = None if self._made[0] == serial else collect(snapshot.index.gallery)
            if collected is not None:
                self._made = serial, {**laid_out(collected).to_json(), "serial": serial}
            return self._made[1]
