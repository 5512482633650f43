"""Models that make nearly the same pictures of the same probes."""

from __future__ import annotations

import numpy as np

from ..embedding import unit
from ..ranking import near_pairs
from ..specification import Evidence
from .gallery import Gallery

NEARLY_THE_SAME = 0.9  # cosine of what two models add, sample by sample


def alike(gallery: Gallery, threshold: float) -> list[tuple[int, int, float]]:
    """(a, b, similarity) of generated models whose samples differ from their reference in the same way."""
    raise NotImplementedError
