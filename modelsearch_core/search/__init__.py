"""Open a catalog, ask it by text, image, sketch or model."""

from ..collection import Filters
from .combining import combined
from .description import Description
from .methods import ALL_METHODS as METHODS
from .model_index import ModelIndex
from .query import Explanation, Match, Query
from .variety import nothing_to_vary

__all__ = [
    "METHODS",
    "Description",
    "Explanation",
    "Filters",
    "Match",
    "ModelIndex",
    "Query",
    "combined",
    "nothing_to_vary",
]
