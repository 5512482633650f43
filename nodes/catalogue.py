"""The catalog as nodes read it: opened once, read again when somebody has written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from ..modelsearch_core.search import ModelIndex
from .places import catalog_path

NOTHING = "Nothing is indexed yet. Open Model Search in the side bar and press Start, or run the node Index Models."
_lock = threading.RLock()
_opened: list[ModelIndex] = []


@contextmanager
def reading() -> Iterator[ModelIndex]:
    """The index for one thread at a time. ModelSearchError where there is none yet."""
    with _lock:
        try:
            if not _opened:
                _opened.append(ModelIndex.open(catalog_path(), device="cpu"))
            _opened[0].reload()
        except EmptyCatalogError as error:
            raise ModelSearchError(NOTHING) from error
        yield _opened[0]


def state() -> str:
    """Changes whenever an answer may."""
    try:
        with Catalog(catalog_path(), read_only=True) as catalog:
            return catalog.state()
    except ModelSearchError:
        return "nothing"
