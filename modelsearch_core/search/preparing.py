"""Works out while indexing what answers are measured by, so that a first answer need not."""

from __future__ import annotations

from ..catalog import Catalog
from ..collection import Collection
from ..statistics import Statistics
from .answering import Answering
from .guessing import store_guesses
from .measured import is_stale


def prepare(catalog: Catalog, *, refresh: bool = False) -> bool:
    """Stores it for the encoder that is searched by, where much has changed, or with `refresh`; whether it did. What
    weights say of LoRA without pictures comes first: it is evidence that answers rest on."""
    for name, _, dimension in catalog.encoders()[:1]:
        collection = Collection(catalog, name, dimension)
        if store_guesses(catalog, collection):
            collection = Collection(catalog, name, dimension)
        statistics = Statistics(collection)
        if len(collection) and (refresh or is_stale(collection) or not statistics.is_stored):
            statistics.store()
            Answering(statistics).prepared().store(catalog, name)
            return True
    return False
