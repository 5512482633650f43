"""A map of the collection: models whose pictures are alike lie near each other."""

from .mapping import METHODS, NOTHING, Collected, Place, SimilarityMap, collect, laid_out, similarity_map
from .picture import map_picture

__all__ = [
    "METHODS",
    "NOTHING",
    "Collected",
    "Place",
    "SimilarityMap",
    "collect",
    "laid_out",
    "map_picture",
    "similarity_map",
]
