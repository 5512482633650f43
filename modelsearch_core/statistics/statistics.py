"""Of all models, arrays with one row each; of a few, what their samples tell.

A collection that is whole has its means and factors in the catalog's columns. Of a part of one, everything is worked
out of the rows that are left, so that nothing of what was held out comes back in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import nearest
from ..catalog.derived import MEANS
from ..collection import Collection, Samples
from ..embedding import Features, unit
from ..encoders.style_space import STYLE_SETTING, space_of
from ..errors import ModelSearchError
from ..scores import content, differences, gaussian
from ..scores.coarse import Coarse
from . import coarse, pooling, references
from .layouts import Layouts, layouts_of
from .matching import MATCHING_SETTING, Matching, matching_of
from .nearby import Nearby
from .references import Reference
from .styles import Styles
from .weights import Weights

log = logging.getLogger(__name__)
_Read = Callable[[NDArray[np.intp]], Features]  # rows of some models


class Statistics:
    """Of a collection. `before` are those of an older reading, whose rows are taken over where no model has changed."""

    def __init__(self, collection: Collection, *, before: Statistics | None = None) -> None:
        self.collection = collection
        self._known = {} if before is None else before.columns()
        self._nearby: dict[str, Nearby] = {}
        self._nearby_before = {} if before is None else dict(before._nearby)

    def columns(self) -> dict[str, tuple[list[tuple[str, int]], Features]]:
        """What was read, to be taken over: (who by fingerprint and stamp, rows) by name."""
        who = [(entry.fingerprint, entry.measured.stamp) for entry in self.collection.entries]
        read = {name: self.__dict__[name] for name in ("own_means", "drawn_means") if name in self.__dict__}
        return {name: (who, rows) for name, rows in read.items()}

    # of all models

    @cached_property
    def raw_means(self) -> Features:
        """(M, D) means of the pictures, shorter the more these differ."""
        return pooling.pooled(self.collection, self.own_means)

    @cached_property
    def own_means(self) -> Features:
        """(M, D) means of the best evidence alone."""
        if not self.collection.is_whole:
            return content.means(self.collection.samples.Z, self.collection.samples.offsets)
        return self._taken_over("own_means", self._read_means)

    @cached_property
    def means(self) -> Features:
        """(M, D) unit means."""
        return unit(self.raw_means)

    @cached_property
    def directions(self) -> Features:
        """(M, D): what a model adds to what its base, else the collection, makes of the same probes."""
        if self.collection.is_whole:
            return self.raw_means - references.of_means(self.collection, self.raw_means)
        samples = self.collection.samples
        delta = differences.differences(samples.Z, references.of_samples(self.collection, samples))
        return differences.direction(delta, samples.offsets) + self.raw_means - self.own_means

    @cached_property
    def unit_directions(self) -> Features:
        """(M, D): what difference scores are products with; zero for a LoRA that changes nothing."""
        return unit(self.directions)

    def nearby(self, column: str) -> Nearby:
        """The models that `means`, `directions` or `words` have nearest to a query, among very many."""
        if column not in self._nearby:
            if not self._nearby and not nearest.is_there():
                log.info(
                    "%s models are compared one by one; more than %s are found in half the time with faiss: "
                    'pip install "model-search[ann]"',
                    f"{len(self.collection):,}",
                    f"{nearest.MANY:,}",
                )
            self._nearby[column] = self._make_nearby(column, self._nearby_before.pop(column, None))
        return self._nearby[column]

    def _make_nearby(self, column: str, before: Nearby | None) -> Nearby:
        collection = self.collection
        if column == "words":
            words, worded = collection.words, collection.worded()
            owners = words.owners()
            turn = np.arange(len(owners)) - words.offsets[owners]
            who = [(*worded[m], int(n)) for m, n in zip(owners, turn, strict=True)]
            return Nearby(who, words.Z, owners, before)
        rows = self.means if column == "means" else self.unit_directions
        who = [(entry.fingerprint, entry.measured.stamp) for entry in collection.entries]
        return Nearby(who, rows, collection.all, before)

    @cached_property
    def drawn_means(self) -> Features:
        """(M, D) unit means of the samples' line drawings; of the samples themselves where there are none."""
        if not self.collection.is_whole:
            drawings = self.collection.drawings
            return unit(content.means(drawings.Z, drawings.offsets))
        return self._taken_over("drawn_means", self._read_drawn_means)

    @cached_property
    def references(self) -> list[Reference]:
        """What models are compared with, group by group."""
        return references.groups(self.collection)

    def _read_means(self, models: NDArray[np.intp]) -> Features:
        rows, missing = self._halves("mean", models)
        if len(missing):  # written by an older version, or known by words alone
            means, entries = self.collection.catalog.means(self.collection.encoder), self.collection.entries
            rows[missing] = [means.get(entries[m].key, np.zeros(rows.shape[1])) for m in models[missing]]
        by_words = np.flatnonzero(self.collection.only_words[models])
        if len(by_words):
            words = self.collection.words.some(models[by_words])
            rows[by_words] = content.means(words.Z, words.offsets)
        return rows

    def _read_drawn_means(self, models: NDArray[np.intp]) -> Features:
        rows, missing = self._halves("drawn_mean", models)
        if len(missing):
            rows[missing] = self.raw_means[models[missing]]
        old = [i for i in missing if self.collection.entries[models[i]].measured.stamp == 0]
        if old:  # written by an older version, which says nothing of drawings
            drawings = self.collection.drawn_rows(models[old])
            rows[old] = content.means(drawings.Z, drawings.offsets)
        return unit(rows)

    def _halves(self, name: str, models: NDArray[np.intp]) -> tuple[Features, NDArray[np.intp]]:
        """Rows of a column (n, D), of all in one go, and at which places there is none."""
        stored, keys, D = self._column(name, MEANS, models), self.collection.keys, self.collection.dimension
        blobs, nothing = [stored.get(keys[m]) for m in models.tolist()], bytes(2 * D)
        missing = np.flatnonzero([blob is None for blob in blobs])
        rows = np.frombuffer(b"".join(blob or nothing for blob in blobs), np.float16)
        return rows.reshape(len(models), D).astype(np.float32), missing

    def _column(self, name: str, version: int, models: NDArray[np.integer]) -> dict[tuple[str, str], bytes]:
        table, encoder = self.collection.catalog.statistics, self.collection.encoder
        if len(models) * 4 > len(self.collection):
            return table.all(encoder, name, version)
        return table.of(encoder, name, version, [self.collection.entries[m].fingerprint for m in models])

    def _taken_over(self, name: str, read: _Read) -> Features:
        """Rows of models that have not changed since they were read, and those of the others."""
        if name not in self._known:
            return read(self.collection.all)
        who, rows = self._known.pop(name)
        place = {each: row for row, each in enumerate(who)}
        now = [(entry.fingerprint, entry.measured.stamp) for entry in self.collection.entries]
        old = np.array([place.get(each, -1) for each in now], np.intp)
        kept, new = np.flatnonzero(old >= 0), np.flatnonzero(old < 0)
        taken = np.empty((len(old), rows.shape[1]), rows.dtype)
        taken[kept] = rows[old[kept]]
        if len(new):
            taken[new] = read(new)
        return taken

    # of some models

    def densities(self, samples: Samples) -> gaussian.Factored:
        """Of the models with these samples, by their stored factors where there are any."""
        stored = samples.densities or (None,) * len(samples)
        unknown = np.flatnonzero([of is None for of in stored])
        of_rest = samples if len(unknown) == len(samples) else samples.some(unknown)
        rest = iter(gaussian.factors_of_all(of_rest.Z, of_rest.offsets))
        factors = [of or next(rest) for of in stored]
        mean = content.means(samples.Z, samples.offsets)
        return gaussian.Factored(samples.Z, samples.offsets, [λ for λ, _ in factors], [U for _, U in factors], mean)

    @cached_property
    def coarse(self) -> Coarse | None:
        """Densities of all models by which those are chosen whose samples are read; None where indexing has stored
        none."""
        return self._coarse(self.means, drawn=False)

    @cached_property
    def coarse_drawn(self) -> Coarse | None:
        return self._coarse(self.drawn_means, drawn=True)

    def _coarse(self, means: Features, *, drawn: bool) -> Coarse | None:
        if not self.collection.is_whole:
            return None
        return coarse.coarse_of(self.collection, self.densities, means, drawn=drawn)

    @property
    def is_stored(self) -> bool:
        """Whether what a catalog keeps of all models together is there."""
        stored = (coarse.is_stored(self.collection, drawn=drawn) for drawn in (False, True))
        return self.collection.words_are_stored and all(stored)

    def store(self) -> None:
        """Works out what a catalog keeps of all models together, while indexing."""
        self.collection.store_words()
        for drawn in (False, True):
            coarse.store(self.collection, self.densities, drawn=drawn)

    # of other spaces, and what was learned

    @cached_property
    def styles(self) -> Styles:
        """The space in which styles are compared."""
        catalog = self.collection.catalog
        space = space_of(catalog.setting(STYLE_SETTING), catalog.beside, self.collection.encoder)
        return Styles(self.collection, space, lambda: self.own_means)

    @cached_property
    def weights(self) -> Weights:
        """What LoRA change, by the sketches of their weights."""
        return Weights(self.collection)

    @cached_property
    def matching(self) -> Matching | None:
        """What was learned of how queries and models belong together; nothing of a part, which was learned from."""
        if not self.collection.is_whole:
            return None
        catalog = self.collection.catalog
        return matching_of(catalog.setting(MATCHING_SETTING), catalog.beside, self.collection.encoder)

    @cached_property
    def layouts(self) -> Layouts | None:
        """Where things are in the models' pictures, if indexing has mapped any."""
        return layouts_of(self.collection.catalog, [entry.key for entry in self.collection.entries])

    @property
    def mapped_layouts(self) -> Layouts:
        """The same where they are needed. ModelSearchError that names the way to have them."""
        if self.layouts is None:
            raise ModelSearchError(
                f"{self.collection.catalog.path} has no maps of where things are; run `modelsearch index FOLDER "
                "--spatial`, which makes them of the pictures that are there"
            )
        return self.layouts
