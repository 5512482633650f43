"""Where each model of an index lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..collection import Entry, Filters
from ..embedding import Features
from ..errors import EmptyCatalogError
from ..search.description import name_of
from ..statistics import Statistics
from .projection import Projection, principal_axes, umap
from .spacing import spaced

METHODS: Mapping[str, Callable[[Features], Projection]] = {"pca": principal_axes, "umap": umap}
AT_ONCE = 512  # models whose samples are held at once
ASPECT = 1.5  # of the map, as screens are


@dataclass(frozen=True, kw_only=True)
class Place:
    """One model's tile, of side 1; x to the right, y down. `picture` numbers the most usual of its samples."""

    id: str
    name: str
    kind: str
    architecture: str
    evidence: str
    picture: int | None
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class SimilarityMap:
    """All tiles, none over another. `share` of the models' differences is in the two axes; None for UMAP."""

    method: str
    share: float | None
    places: list[Place]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What a map is made of; needs the catalog no more."""

    method: str
    projection: Projection
    entries: list[Entry]
    pictures: list[int | None]


NOTHING = Collected(method="pca", projection=Projection(np.zeros((0, 2)), None), entries=[], pictures=[])


def similarity_map(statistics: Statistics, method: str = "pca", *, kind: str | None = None) -> SimilarityMap:
    """The map of an index, or of its models of one kind. ValueError for an unknown method."""
    return laid_out(collect(statistics, method, kind=kind))


def collect(statistics: Statistics, method: str = "pca", *, kind: str | None = None) -> Collected:
    """Reads and projects; `laid_out` takes longer, for thousands of models."""
    if method not in METHODS:
        raise ValueError(f"{method!r} is no way to make a map; choose one of {', '.join(METHODS)}")
    collection = statistics.collection
    models = np.flatnonzero(Filters(kind=kind).passing(collection.entries))
    if not len(models):
        of = f"of kind {kind}" if kind else "at all"
        raise EmptyCatalogError(f"there is no model {of} to put on a map", command="modelsearch index FOLDER")
    return Collected(
        method=method,
        projection=METHODS[method](_centred(statistics.means[models], collection.only_words[models])),
        entries=[collection.entries[m] for m in models],
        pictures=_pictures(statistics, models),
    )


def laid_out(of: Collected) -> SimilarityMap:
    """With no tile over another."""
    places = spaced(of.projection.points * [1, -1], aspect=ASPECT)
    share = None if of.projection.share is None else round(of.projection.share, 4)
    tiles = [_place(*each) for each in zip(of.entries, of.pictures, places, strict=True)]
    return SimilarityMap(method=of.method, share=share, places=tiles)


def _centred(means: Features, only_words: NDArray[np.bool_]) -> Features:
    """Less what all pictures, and what all texts have in common: the two lie apart in any encoder's space."""
    centred = np.array(means, np.float64)
    for of in (only_words, ~only_words):
        if of.any():
            centred[of] -= centred[of].mean(axis=0)
    return centred


def _pictures(statistics: Statistics, models: NDArray[np.intp]) -> list[int | None]:
    """Of each model the sample nearest to its mean; None without pictures."""
    collection, found = statistics.collection, dict[int, int]()
    pictured = models[~collection.unseen[models]]
    for start in range(0, len(pictured), AT_ONCE):
        part = pictured[start : start + AT_ONCE]
        for m, of in zip(part, collection.specifications(part), strict=True):
            found[int(m)] = int(of.numbers[np.argmax(np.asarray(of.Z, np.float32) @ statistics.means[m])])
    return [found.get(int(m)) for m in models]


def _place(entry: Entry, picture: int | None, place: NDArray[np.floating]) -> Place:
    return Place(
        id=entry.fingerprint,
        name=name_of(entry.model),
        kind=entry.kind.value,
        architecture=entry.architecture,
        evidence=entry.evidence.value,
        picture=picture,
        x=round(float(place[0]), 3),
        y=round(float(place[1]), 3),
    )
