"""The style space of a collection: a vector for each picture that a model made of the reference set's drawings.

A model that was not asked with drawings (it takes prompts only, or it is no LoRA) has its samples in their place. Where
no encoder is trained, the image encoder's own features are the style vectors ("transfer only" in the paper). A trained
network has vectors of painted drawings only, which indexing has stored.

Of a small collection all vectors are kept; of a large one, their moments, and vectors are read as they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog.catalog import Measured
from ..collection import Collection
from ..collection.entries import newest
from ..embedding import Features, unit
from ..encoders.style_head import StyleFile, StyleHead
from ..encoders.style_space import open_space
from ..scores import style
from ..scores.samples import Offsets, mean_rows, offsets_of
from ..specification import Evidence

if TYPE_CHECKING:
    from ..encoders.style import StyleEncoder

AT_ONCE = 256  # models whose vectors are held

Models = NDArray[np.intp]


class Styles:
    """Of the models that have style vectors, `known` (K,)."""

    def __init__(
        self, collection: Collection, space: StyleHead | StyleFile | None, stored_means: Callable[[], Features]
    ) -> None:
        """`stored_means`: (M, D) of the models' samples, of a whole collection."""
        self._collection = collection
        self._stored_means = stored_means
        self.space = space

    @property
    def is_kept(self) -> bool:
        """Whether all vectors are held once they were read."""
        return self._collection.is_small or not self._collection.is_whole

    @cached_property
    def has_renderings(self) -> NDArray[np.bool_]:
        """(M,): models that were asked with drawings."""
        asked = newest(self._collection.measured, Evidence.REFERENCE)
        return np.array([_has_samples(asked, entry.fingerprint) for entry in self._collection.entries], bool)

    @cached_property
    def known(self) -> Models:
        if self.is_kept:
            return np.array([m for m, rows in enumerate(self._vectors) if len(rows)], np.intp)
        if not isinstance(self.space, StyleFile):
            return np.flatnonzero(~self._collection.unseen)
        seen = newest(self._collection.catalog.measured(self.space.name), Evidence.REFERENCE)
        return np.flatnonzero([_has_samples(seen, entry.fingerprint) for entry in self._collection.entries])

    # vectors

    def some(self, models: Models) -> tuple[Features, Offsets]:
        """V (N, d) of these of the known models, one at least, one after the other, and their offsets."""
        rows = [self._vectors[m] for m in models] if self.is_kept else self._read(models)
        return np.concatenate(rows), offsets_of(np.array([len(part) for part in rows]))

    @cached_property
    def _all(self) -> tuple[Features, Offsets]:
        return self.some(self.known)

    @property
    def V(self) -> Features:
        """(N, d), of all that are known."""
        return self._all[0]

    @cached_property
    def _vectors(self) -> list[Features]:
        """Of each model; nothing for one that is known by words."""
        if isinstance(self.space, StyleFile):
            stored = self._collection.style_samples(self.space.name)
            return [self.space.of(stored.Z[a:b]) for a, b in pairwise(stored.offsets)]
        return [self._of(part) for part in self._rows]

    @cached_property
    def _rows(self) -> list[Features]:
        """Of each model: features of its reference pictures, else of its samples; nothing for one known by words."""
        renderings, samples = self._collection.reference_samples, self._collection.samples
        of = [renderings if rendered else samples for rendered in self.has_renderings]
        return [
            s.of(m)[:0] if unseen else s.of(m)
            for m, (s, unseen) in enumerate(zip(of, self._collection.unseen, strict=True))
        ]

    def _read(self, models: Models) -> list[Features]:
        """Vectors of each of these known models."""
        if isinstance(self.space, StyleFile):
            stored = self._collection.style_samples(self.space.name, models)
            return [self.space.of(stored.of(turn)) for turn in range(len(models))]
        return [self._of(part) for part in self._read_rows(models)]

    def _read_rows(self, models: Models) -> Iterator[Features]:
        rendered = self.has_renderings[models]
        renderings = self._collection.beside(Evidence.REFERENCE, models=models[rendered])
        samples = self._collection.rows(models[~rendered])
        place = np.where(rendered, np.cumsum(rendered), np.cumsum(~rendered)) - 1
        return ((renderings if own else samples).of(int(at)) for own, at in zip(rendered, place, strict=True))

    def _of(self, z: Features) -> Features:
        """Style vectors of features."""
        return self.space(z) if isinstance(self.space, StyleHead) else np.asarray(z, np.float32)

    # of all, by their moments

    @cached_property
    def _moments(self) -> style.Moments:
        """(K, …). What the square of a mean of unit rows lacks of 1 is their variance, so means that are stored are
        enough; else all are read, some at a time."""
        if self.is_kept:
            return style.moments(*self._all)
        if self.space is None:
            means, read = self._stored_means()[self.known], np.flatnonzero(self.has_renderings[self.known])
        else:
            width, read = self.some(self.known[:1])[0].shape[1], np.arange(len(self.known))
            means = np.empty((len(self.known), width), np.float32)
        spreads = np.maximum(1 - np.einsum("kd,kd->k", means, means), 0)
        for block in _blocks(read):
            means[block], spreads[block] = style.moments(*self.some(self.known[block]))
        return style.Moments(means, spreads)

    def nearly(self, h: Features, vectors: Features | None = None) -> style.Distances:
        """(T, M): root mean squares of the distances, which is never below their mean."""
        if not len(self.known):
            return self._unknown(len(h if vectors is None else vectors))
        return self._of_all(style.root_mean_square_style_distances(self._moments, self._asked(h, vectors)))

    def model_distances(self, models: NDArray[np.integer]) -> style.Distances:
        """(T, M): of models, by their mean style."""
        if not len(self.known):
            return self._unknown(len(models))
        moments = self._moments
        means = np.full((len(self._collection), moments.means.shape[1]), np.nan, np.float32)
        means[self.known] = moments.means
        return self._of_all(style.euclidean(means[models], moments.means))

    # of some, one by one

    def distances(self, h: Features, vectors: Features | None = None, models: Models | None = None) -> style.Distances:
        """(T, C): of pictures by their features, or by their style vectors, from these models, all if none are named;
        NaN where a model's style is not known."""
        models, q = self._collection.all if models is None else models, self._asked(h, vectors)
        if not len(self.known):
            return self._unknown(len(q))[:, models]
        if self.is_kept:
            return self._of_all(style.mean_style_distances(*self._all, q))[:, models]
        distances = np.full((len(q), len(models)), np.nan)
        places = np.flatnonzero(np.isin(models, self.known))
        for block in _blocks(places):
            distances[:, block] = style.mean_style_distances(*self.some(models[block]), q)
        return distances

    def _asked(self, h: Features, vectors: Features | None) -> Features:
        return self._of(h) if vectors is None else vectors

    def _unknown(self, T: int) -> style.Distances:
        """(T, M): as if no model had a style."""
        return np.full((T, len(self._collection)), np.nan)

    def _of_all(self, of_known: style.Distances) -> style.Distances:
        distances = self._unknown(len(of_known))
        distances[:, self.known] = of_known
        return distances

    @cached_property
    def plain_means(self) -> Features:
        """(M, D): unit means in the encoder's own space, where texts can be compared; a zero row for no picture."""
        means = np.zeros((len(self._collection), self._collection.dimension), np.float32)
        if self.is_kept:
            read = np.flatnonzero([len(rows) > 0 for rows in self._rows])
        else:
            seen = np.flatnonzero(~self._collection.unseen)
            means[seen], read = self._stored_means()[seen], seen[self.has_renderings[seen]]
        for block in _blocks(read):
            rows = [self._rows[m] for m in block] if self.is_kept else list(self._read_rows(block))
            means[block] = mean_rows(np.concatenate(rows), offsets_of(np.array([len(part) for part in rows])))
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


def _blocks(models: Models) -> Iterator[Models]:
    yield from (models[start : start + AT_ONCE] for start in range(0, len(models), AT_ONCE))


def _has_samples(measured: Mapping[str, Measured], fingerprint: str) -> bool:
    return fingerprint in measured and measured[fingerprint].samples > 0
