"""The style space of a collection: a vector for each picture that a model made of the reference set's drawings.

A model that was not asked with drawings (it takes prompts only, or it is no LoRA) has its samples in their place. Where
no encoder is trained, the image encoder's own features are the style vectors ("transfer only" in the paper). A trained
network has vectors of painted drawings only, which indexing has stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..collection import Collection
from ..embedding import Features, unit
from ..encoders.style_head import StyleFile, StyleHead
from ..encoders.style_space import open_space
from ..scores import style
from ..scores.samples import Offsets, mean_rows, offsets_of

if TYPE_CHECKING:
    from ..encoders.style import StyleEncoder

EXACT_UP_TO = 200_000  # vectors that are compared one by one; above it the fast form ranks


class Styles:
    """Style vectors V (N, d) of the models of which there are any, `known` (K,): theirs are offsets[k]:offsets[k+1]."""

    def __init__(self, collection: Collection, space: StyleHead | StyleFile | None) -> None:
        self._collection = collection
        self.space = space

    @cached_property
    def has_renderings(self) -> NDArray[np.bool_]:
        """(M,): models that were asked with drawings."""
        return np.diff(self._collection.reference_samples.offsets) > 0

    @cached_property
    def _rows(self) -> list[Features]:
        """Of each model: features of its reference pictures, else of its samples; nothing for one known by words."""
        renderings, samples = self._collection.reference_samples, self._collection.samples
        of = [renderings if rendered else samples for rendered in self.has_renderings]
        rows = [s.Z[s.offsets[m] : s.offsets[m + 1]] for m, s in enumerate(of)]
        return [
            part[:0] if only_words else part for part, only_words in zip(rows, self._collection.unseen, strict=True)
        ]

    @cached_property
    def _vectors(self) -> list[Features]:
        if isinstance(self.space, StyleFile):
            stored = self._collection.style_samples(self.space.name)
            return [self.space.of(stored.Z[a:b]) for a, b in pairwise(stored.offsets)]
        return [self._of(part) for part in self._rows]

    def _of(self, z: Features) -> Features:
        """Style vectors of features."""
        return self.space(z) if isinstance(self.space, StyleHead) else np.asarray(z, np.float32)

    @cached_property
    def known(self) -> NDArray[np.intp]:
        return np.array([m for m, rows in enumerate(self._vectors) if len(rows)], np.intp)

    @cached_property
    def V(self) -> Features:
        return np.concatenate([self._vectors[m] for m in self.known])

    @cached_property
    def offsets(self) -> Offsets:
        return offsets_of(np.array([len(self._vectors[m]) for m in self.known]))

    @cached_property
    def _moments(self) -> style.Moments:
        return style.moments(self.V, self.offsets)

    @cached_property
    def _distances(self) -> Callable[[Features], style.Distances]:
        if len(self.V) > EXACT_UP_TO:
            return style.Shortlist(self.V, self.offsets, self._moments)
        return lambda q: style.mean_style_distances(self.V, self.offsets, q)

    def distances(self, h: Features, vectors: Features | None = None) -> style.Distances:
        """(T, M): of pictures by their features, or by their style vectors; NaN where a model's style is not known."""
        return self._of_all(self._distances(self._of(h) if vectors is None else vectors))

    def model_distances(self, models: NDArray[np.integer]) -> style.Distances:
        """(T, M): of models, by their mean style."""
        means = np.full((len(self._collection), self.V.shape[1]), np.nan, np.float32)
        means[self.known] = self._moments.means
        return self._of_all(style.euclidean(means[models], self._moments.means))

    def _of_all(self, of_known: style.Distances) -> style.Distances:
        distances = np.full((len(of_known), len(self._collection)), np.nan)
        distances[:, self.known] = of_known
        return distances

    @cached_property
    def plain_means(self) -> Features:
        """(M, D): unit means in the encoder's own space, where texts can be compared; a zero row for no picture."""
        means = np.zeros((len(self._collection), self._collection.dimension), np.float32)
        there = [m for m, rows in enumerate(self._rows) if len(rows)]
        if there:
            counts = np.array([len(self._rows[m]) for m in there])
            means[there] = mean_rows(np.concatenate([self._rows[m] for m in there]), offsets_of(counts))
        return unit(means)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """(M,): as the collection's, but models asked with drawings stand apart."""
        return self._collection.groups * 2 + self.has_renderings

    @cached_property
    def _encoder(self) -> StyleEncoder | None:
        if not isinstance(self.space, StyleFile):
            return None
        return open_space(self.space)

    def vectors_of(self, images: Sequence[Image.Image]) -> Features | None:
        """Of a query's pictures, where a network of its own looks at them; else they come from their features."""
        if self._encoder is None or not isinstance(self.space, StyleFile):
            return None
        return self.space.of(self._encoder.encode_images(images))
