"""A map of the collection: models whose pictures are alike lie near each other."""

from .mapping import METHODS, Place, SimilarityMap, collect, laid_out, similarity_map
from .picture import map_picture

__all__ = ["METHODS", "Place", "SimilarityMap", "collect", "laid_out", "map_picture", "similarity_map"]
