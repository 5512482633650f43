"""Works out while indexing what answers are measured by, so that a first answer need not."""

from __future__ import annotations

from collections.abc import Callable

from ..catalog import Catalog
from ..collection import Collection
from ..drawing import Draw, best_drawer
from ..embedding import ImageEncoder
from ..statistics import Statistics
from .answering import Answering
from .banks import Queries
from .guessing import store_guesses
from .measured import is_stale
from .viewed import viewed


def prepare(
    catalog: Catalog, encoder: ImageEncoder | None = None, draw: Draw | None = None, *, refresh: bool = False
) -> bool:
    """Stores it for the encoder that is searched by, where much has changed, or with `refresh`; whether it did. What
    weights say of LoRA without pictures comes first: it is evidence that answers rest on. Without an `encoder`,
    sketches are compared with drawings as they are, rather than as queries' are asked."""
    for name, _, dimension in catalog.encoders()[:1]:
        collection = Collection(catalog, name, dimension)
        if store_guesses(catalog, collection):
            collection = Collection(catalog, name, dimension)
        statistics = Statistics(collection)
        if len(collection) and (refresh or is_stale(collection) or not statistics.is_stored):
            statistics.store()
            Answering(statistics, as_asked=_as_asked(collection, encoder, draw)).prepared().store(catalog, name)
            return True
    return False


def _as_asked(
    collection: Collection, encoder: ImageEncoder | None, draw: Draw | None
) -> Callable[[Queries], Queries] | None:
    if encoder is None or encoder.name != collection.encoder:
        return None
    return lambda bank: viewed(collection, bank, encoder, draw or best_drawer())
