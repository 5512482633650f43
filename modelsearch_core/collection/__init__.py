"""What a catalog holds under one encoder, as arrays: read-only, of one moment, rows of samples read when they count."""

from .collection import Collection
from .entries import EVIDENCE_ORDER, Entry
from .filters import FILTERS, Filter, Filters
from .samples import Samples

__all__ = ["EVIDENCE_ORDER", "FILTERS", "Collection", "Entry", "Filter", "Filters", "Samples"]
