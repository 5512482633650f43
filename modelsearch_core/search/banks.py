"""Unrelated queries of each modality: what a score is compared with before it means anything (docs/methods.md 10)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..collection import Collection
from ..embedding import Features, unit
from ..specification import Modality, Requirement
from ..statistics import Statistics
from ..statistics.layouts import Layouts
from ..statistics.styles import Styles

LARGEST = 256
SEED = 20231
TOGETHER = 4  # pictures of one model at least, where there are several
NOT_DRAWN = -1  # in place of a sample's number
FOLDS = 8  # of the prompts: densities of few samples tell models apart by chance
_OF_EACH = ("owner", "prompts", "differences", "forms", "styles", "layouts", "numbers", "folds")  # arrays (T, …)


@dataclass(frozen=True, kw_only=True)
class Queries:
    """T separate queries of one modality, with what some methods want besides.

    One that stems from a model of the collection tells nothing of that model: `owner` (T,), −1 for none. Where models
    ask, their owners are who they are.
    """

    modality: Modality
    h: Features  # (T, D)
    owner: NDArray[np.intp] | None = None  # (T,)
    prompts: Features | None = None  # (T, D)
    prompt_texts: Sequence[str] | None = None  # (T,), in place of `prompts` where these are rarely needed
    differences: Features | None = None  # (T, D), of texts
    styles: Features | None = None  # (T, d), style vectors
    layouts: Features | None = None  # (T, F), maps of pictures
    forms: NDArray[np.intp] | None = None  # (T,), of texts: `background.Form`
    numbers: NDArray[np.intp] | None = None  # (T,): which of their owners' samples they are, or NOT_DRAWN
    views: int = 1  # as which so many rows stand beside each other, of sketches
    folds: NDArray[np.intp] | None = None  # (T,): with what of the models' samples it must not be compared, -1 for none

    def __len__(self) -> int:
        return len(self.h)

    @property
    def models(self) -> NDArray[np.intp] | None:
        """(T,), where models ask."""
        return self.owner if self.modality is Modality.MODEL else None

    @classmethod
    def of(cls, requirement: Requirement) -> Queries:
        """One requirement's inputs as separate queries."""
        T = len(requirement.h)

        def spread(row: Features | None) -> Features | None:
            return None if row is None else np.repeat(row[None], T, axis=0)

        return cls(
            modality=requirement.modality,
            h=requirement.h,
            owner=None if requirement.model is None else np.array([requirement.model]),
            prompts=spread(requirement.prompt),
            differences=spread(requirement.difference),
            styles=requirement.styles,
            layouts=requirement.layouts,
        )

    @classmethod
    def together(cls, several: Sequence[Queries]) -> Queries:
        """All in one, of one modality; of one `sort`."""
        names = several[0].sort
        stacked: dict[str, Any] = {name: np.concatenate([getattr(each, name) for each in several]) for name in names}
        return cls(modality=several[0].modality, h=np.concatenate([each.h for each in several]), **stacked)

    @property
    def sort(self) -> tuple[str, ...]:
        """What is known of each besides its feature."""
        return tuple(name for name in _OF_EACH if getattr(self, name) is not None)

    def some(self, rows: NDArray[np.intp]) -> Queries:
        """Some of them."""
        found = {name: getattr(self, name) for name in _OF_EACH}
        kept: dict[str, Any] = {name: None if values is None else values[rows] for name, values in found.items()}
        texts = None if self.prompt_texts is None else [self.prompt_texts[int(row)] for row in rows]
        return Queries(modality=self.modality, h=self.h[rows], prompt_texts=texts, **kept)

    @property
    def heads(self) -> Queries:
        """Each one's first view."""
        return self if self.views < 2 else self.some(np.arange(0, len(self), self.views))

    def masked(self, scores: NDArray[np.floating], models: NDArray[np.integer]) -> NDArray[np.floating]:
        """Scores (T, C) of these models with NaN where a query meets its own model."""
        if self.owner is None:
            return np.asarray(scores, np.float32)
        own = (self.owner[:, None] == models) & (self.owner >= 0)[:, None]
        return np.where(own, np.nan, scores)


def bank(statistics: Statistics, modality: Modality) -> Queries:
    """Generic names for texts; the collection's own pictures, drawings or means for the others."""
    collection = statistics.collection
    if modality is Modality.TEXT:
        h, added, forms = collection.background
        return Queries(modality=modality, h=h, prompts=h, differences=added, forms=forms)
    owner = _some_models(collection, modality)
    if modality is Modality.MODEL:
        nothing = np.zeros((len(owner), collection.dimension))
        return Queries(modality=modality, h=statistics.means[owner], owner=owner, prompts=nothing)
    return _of_samples(collection, owner, modality)


def _some_models(collection: Collection, modality: Modality) -> NDArray[np.intp]:
    """(B,) models in turn: a picture of each, then a second of each, and so on; a model asks but once."""
    seen = ~collection.unseen
    if modality is Modality.MODEL and not seen.any():
        seen = ~seen  # they ask by what they are called, or what they change
    models = np.random.default_rng(SEED).permutation(np.flatnonzero(seen))
    if modality is Modality.MODEL or not len(models):
        return models[:LARGEST]
    return np.resize(models[: LARGEST // TOGETHER], LARGEST)


def _of_samples(collection: Collection, owner: NDArray[np.intp], modality: Modality) -> Queries:
    turn = np.random.default_rng(SEED + 1)
    distinct = np.unique(owner)
    found = dict(zip(map(int, distinct), collection.specifications(distinct), strict=True))
    rows: list[Features] = []
    prompts: list[str] = []
    folds: list[int] = []
    numbers: list[int] = []
    for m in map(int, owner):
        specification = found[m]
        row = int(turn.integers(len(specification.Z)))
        drawn = modality is Modality.SKETCH and specification.drawings is not None
        features = specification.drawings if drawn and specification.drawings is not None else specification.Z
        rows.append(features[row])
        number = int(specification.numbers[row])
        numbers.append(number if drawn or modality is not Modality.SKETCH else NOT_DRAWN)
        prompts.append(collection.prompt(m, number))
        folds.append(fold_of(collection.plain_prompt(m, number)))
    h = unit(np.array(rows, np.float32).reshape(len(owner), collection.dimension))
    return Queries(
        modality=modality,
        h=h,
        owner=owner,
        prompt_texts=prompts,
        numbers=np.array(numbers, np.intp),
        folds=np.array(folds, np.intp),
    )


def fold_of(prompt: str) -> int:
    """Pictures of one prompt are in one fold; those that nobody asked for are in none."""
    return zlib.crc32(prompt.encode()) % FOLDS if prompt else -1


def bank_of_styles(styles: Styles) -> Queries:
    """Pictures of the models, a model in turn, as style vectors; none where no model's style is known."""
    rng = np.random.default_rng(SEED + 2)
    nothing = np.zeros((LARGEST if len(styles.known) else 0, 1))
    owner = np.resize(rng.permutation(styles.known), len(nothing)).astype(np.intp)
    if not len(owner):
        return Queries(modality=Modality.IMAGE, h=nothing, owner=owner, prompts=nothing, styles=nothing)
    distinct, place = np.unique(owner, return_inverse=True)
    vectors, offsets = styles.some(distinct)
    rows = [int(rng.integers(offsets[k], offsets[k + 1])) for k in place]
    return Queries(modality=Modality.IMAGE, h=nothing, owner=owner, prompts=nothing, styles=vectors[rows])


def bank_of_layouts(layouts: Layouts) -> Queries:
    """Maps of single pictures: a picture of each model, then a second of each."""
    order = np.random.default_rng(SEED + 3).permutation(len(layouts.maps))
    most = max((len(of.single) for of in layouts.maps), default=0)
    rows = [(int(k), turn) for turn in range(most) for k in order if turn < len(layouts.maps[k].single)][:LARGEST]
    nothing = np.zeros((len(rows), 1))
    return Queries(
        modality=Modality.IMAGE,
        h=nothing,
        owner=layouts.known[[k for k, _ in rows]],
        prompts=nothing,
        layouts=np.array([layouts.maps[k].single[turn] for k, turn in rows], np.float32),
    )
