"""The style space of a gallery: a vector for each picture that a model made of the reference set's drawings.

A model that was not asked with drawings (it takes prompts only, or it is no LoRA) has its samples in their place. Where
no head is trained, the encoder's own features are the style vectors ("transfer only" in the paper).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from ..encoders.style_head import StyleHead, read_head
from ..errors import ModelSearchError
from ..scores import style
from ..scores.samples import Offsets, mean_rows
from .banks import SEED, Bank

if TYPE_CHECKING:
    from .gallery import Gallery

BANK = 256
EXACT_UP_TO = 200_000  # vectors that are compared one by one; above it the fast form ranks

log = logging.getLogger(__name__)


class Styles:
    """Style vectors V (N, d) of all models, model m's in rows offsets[m] to offsets[m+1]."""

    def __init__(self, gallery: Gallery, head: StyleHead | None) -> None:
        self._gallery = gallery
        self.head = head

    @cached_property
    def painted(self) -> NDArray[np.bool_]:
        """(M,): models that were asked with drawings."""
        return np.diff(self._gallery.reference_samples.offsets) > 0

    @cached_property
    def _features(self) -> tuple[Features, Offsets]:
        """(rows, offsets): of reference pictures where there are any, else of samples."""
        painted, asked = self._gallery.reference_samples, self._gallery.samples
        of = [painted if is_painted else asked for is_painted in self.painted]
        rows = [s.Z[s.offsets[m] : s.offsets[m + 1]] for m, s in enumerate(of)]
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in rows])])
        return np.concatenate(rows), offsets

    @cached_property
    def V(self) -> Features:
        return self.of(self._features[0])

    @property
    def offsets(self) -> Offsets:
        return self._features[1]

    def of(self, z: Features) -> Features:
        """Style vectors of features."""
        return np.asarray(z, np.float32) if self.head is None else self.head(z)

    @cached_property
    def _moments(self) -> style.Moments:
        return style.moments(self.V, self.offsets)

    @cached_property
    def _distances(self) -> Callable[[Features], style.Distances]:
        if len(self.V) > EXACT_UP_TO:
            return style.Shortlist(self.V, self.offsets, self._moments)
        return lambda q: style.mean_style_distances(self.V, self.offsets, q)

    def distances(self, z: Features) -> style.Distances:
        """(T, M): of pictures by their features; NaN for a model of which no picture is known."""
        return self._known(self._distances(self.of(z)))

    def model_distances(self, models: NDArray[np.integer]) -> style.Distances:
        """(T, M): of models, by their mean style."""
        return self._known(style.euclidean(self._moments.means[models], self._moments.means))

    @cached_property
    def plain_means(self) -> Features:
        """(M, D): unit means in the encoder's own space, where texts can be compared."""
        return unit(mean_rows(*self._features))

    def _known(self, distances: style.Distances) -> style.Distances:
        return np.where(self._gallery.only_words, np.nan, distances)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """(M,): as the gallery's, but models asked with drawings stand apart."""
        return self._gallery.groups * 2 + self.painted

    @cached_property
    def bank(self) -> Bank:
        """Unrelated queries of style: pictures of the models, a model in turn."""
        rng = np.random.default_rng(SEED + 2)
        models = rng.permutation(np.flatnonzero(~self._gallery.only_words))
        owner = np.resize(models, BANK) if len(models) else models
        rows = [int(rng.integers(self.offsets[m], self.offsets[m + 1])) for m in owner]
        h = self._features[0][rows]
        return Bank(h=h, owner=owner, prompts=np.zeros_like(h))


def head_of(setting: str | None, catalog: Path, encoder: str) -> StyleHead | None:
    """The head that a catalog names, if it is there and was trained on this encoder's features."""
    if not setting:
        return None
    try:
        head = read_head(catalog.parent / setting)
    except ModelSearchError as error:
        log.warning("style search goes without a trained encoder: %s", error)
        return None
    return head if head.encoder == encoder else None
