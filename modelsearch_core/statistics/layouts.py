"""Where things are in a collection's pictures: mean feature maps of its models (appendix A of arXiv 2210.03116).

Maps are flattened and of unit length, so that 1st Moment is the cosine of a query's map and a model's mean map.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..catalog import Catalog
from ..catalog.spatial_maps import SpatialMap
from ..embedding import Features, ImageEncoder, unit
from ..errors import ModelSearchError
from ..scores import content
from ..scores.samples import BLOCK


class Layouts:
    """Unit mean maps U (K, F) in half precision, of the models of which there is one: `known` (K,) of M."""

    def __init__(self, name: str, source: str, maps: Sequence[SpatialMap | None]) -> None:
        self.name = name
        self.source = source
        self.known = np.array([m for m, of in enumerate(maps) if of is not None], np.intp)
        self.maps = [of for of in maps if of is not None]
        self._M = len(maps)

    @cached_property
    def U(self) -> Features:
        means = (unit(of.mean.astype(np.float32)) for of in self.maps)
        return np.stack([mean.astype(np.float16) for mean in means])

    def scores(self, h: Features) -> NDArray[np.floating]:
        """(T, M): 1st Moment of maps (T, F); NaN for a model without one."""
        scores = np.full((len(h), self._M), np.nan)
        step = max(1, BLOCK // max(1, h.shape[1]))
        for start in range(0, len(self.known), step):
            some = slice(start, start + step)
            scores[:, self.known[some]] = content.first_moment(self.U[some].astype(np.float32), h)
        return scores

    def model_scores(self, models: NDArray[np.integer]) -> NDArray[np.floating]:
        """(T, M), of models by their mean maps. ModelSearchError where one has none."""
        rows = np.searchsorted(self.known, models)
        found = self.known[np.minimum(rows, len(self.known) - 1)] == models
        if not found.all():
            raise ModelSearchError(
                f"{int((~found).sum())} of {len(models)} models asked for have no map of where things are; "
                "run `modelsearch index FOLDER --spatial` to make them"
            )
        return self.scores(self.U[rows].astype(np.float32))

    def open_encoder(self, device: str) -> ImageEncoder:
        """What made the maps. ModelSearchError where there is another one by now."""
        from ..encoders.spatial import open_spatial_encoder  # brings torch along

        encoder = open_spatial_encoder(self.source, device=device)
        if encoder.name != self.name:
            raise ModelSearchError(
                f"the maps of where things are were made by {self.name}, and {self.source} is {encoder.name} now; "
                "run `modelsearch index FOLDER --spatial` to make them again"
            )
        return encoder


def layouts_of(catalog: Catalog, keys: Sequence[tuple[str, str]]) -> Layouts | None:
    """Maps of the models of these (fingerprint, digest), by the spatial encoder with most of them; None without any."""
    for name, source, _ in catalog.spatial.encoders()[:1]:
        maps = [catalog.spatial.get(fingerprint, digest, name) for fingerprint, digest in keys]
        return Layouts(name, source, maps) if any(maps) else None
    return None
