"""The map of the collection, made once for each state of the catalog."""

from __future__ import annotations

import threading
from typing import Any

from ..catalog import Catalog
from ..collection import Collection
from ..errors import EmptyCatalogError
from ..similarity_map import NOTHING, Collected, SimilarityMap, collect, laid_out
from ..statistics import Statistics
from .library import Library, Snapshot


class CollectionMap:
    """Keeps the last map. Those who ask while it is made wait for it; it waits for no search, and no search for it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._made: tuple[int, dict[str, Any]] = 0, {}

    def map(self) -> dict[str, Any]:
        """No places where there is no model yet."""
        with self._lock:
            try:
                snapshot = self._library.newest()
                if self._made[0] != snapshot.serial:
                    self._made = snapshot.serial, _plain(laid_out(self._collected(snapshot)), snapshot.serial)
                return self._made[1]
            except EmptyCatalogError:
                return _plain(laid_out(NOTHING), 0)

    def _collected(self, snapshot: Snapshot) -> Collected:
        """Through a connection of its own."""
        if snapshot.index is None:
            return NOTHING
        of = snapshot.index.collection
        with Catalog(self._library.path, read_only=True) as catalog:
            return collect(Statistics(Collection(catalog, of.encoder, of.dimension)))


def _plain(made: SimilarityMap, serial: int) -> dict[str, Any]:
    return {**made.to_json(), "serial": serial}
