"""Open a catalog, ask it by text, image, sketch or model."""

from .answering import ALL_METHODS as METHODS
from .combining import combined
from .description import Description
from .model_index import ModelIndex
from .query import Explanation, Match, Query

__all__ = ["METHODS", "Description", "Explanation", "Match", "ModelIndex", "Query", "combined"]
