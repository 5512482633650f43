"""The catalog as nodes read it: the panel's, which is opened once and read again when somebody has written."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ..modelsearch_core.catalog import Catalog
from ..modelsearch_core.errors import EmptyCatalogError, ModelSearchError
from ..modelsearch_core.search import ModelIndex
from .host import panel
from .places import catalog_path

NOTHING = "Nothing is indexed yet. Open Model Search in the side bar and press Index now, or run the node Index Models."


@contextmanager
def reading() -> Generator[ModelIndex]:
    """The index for one thread at a time. ModelSearchError where there is none yet."""
    library = panel().library
    library.forget_reading()
    try:
        with library.reading() as snapshot:
            yield snapshot.index
    except EmptyCatalogError as error:
        raise ModelSearchError(NOTHING) from error


def state() -> str:
    """Changes whenever an answer may."""
    try:
        if (server := panel().elsewhere.server()) is not None:
            return f"{server.address} {server.json('GET', 'status').get('serial')}"
        with Catalog(catalog_path(), read_only=True) as catalog:
            return catalog.state()
    except ModelSearchError:
        return "nothing"
