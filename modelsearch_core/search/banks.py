"""Unrelated queries of each modality: what a score is compared with before it means anything (METHODS, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from ..specification import Modality

if TYPE_CHECKING:
    from .gallery import Gallery

LARGEST = 256
SEED = 20231


@dataclass(frozen=True, kw_only=True)
class Bank:
    """B background queries. A row that stems from a model of the gallery tells nothing of that model: `owner` (B,)."""

    h: Features  # (B, D)
    owner: NDArray[np.intp]  # (B,), -1 for none
    prompts: Features  # (B, D), zero rows where there is none
    differences: Features | None = None  # (B, D), of texts
    styles: Features | None = None  # (B, d), style vectors
    layouts: Features | None = None  # (B, F), maps of pictures

    def __len__(self) -> int:
        return len(self.h)

    def masked(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Scores (B, M) with NaN where a row meets its own model."""
        masked = np.array(scores, np.float64)
        rows = np.flatnonzero(self.owner >= 0)
        masked[rows, self.owner[rows]] = np.nan
        return masked


def bank(gallery: Gallery, modality: Modality) -> Bank:
    """Generic names for texts; the collection's own pictures, drawings or means for the others."""
    if modality is Modality.TEXT:
        h, added = gallery.background
        return Bank(h=h, owner=np.full(len(h), -1), prompts=h, differences=added)
    owner = _some_models(gallery, modality)
    if modality is Modality.MODEL:
        return Bank(h=gallery.means[owner], owner=owner, prompts=np.zeros((len(owner), gallery.dimension)))
    return _of_samples(gallery, owner, drawn=modality is Modality.SKETCH)


def _some_models(gallery: Gallery, modality: Modality) -> NDArray[np.intp]:
    """(B,) models in turn: a picture of each, then a second of each, and so on; a model asks but once."""
    models = np.random.default_rng(SEED).permutation(np.flatnonzero(~gallery.only_words))
    return models[:LARGEST] if modality is Modality.MODEL or not len(models) else np.resize(models, LARGEST)


def _of_samples(gallery: Gallery, owner: NDArray[np.intp], *, drawn: bool) -> Bank:
    turn = np.random.default_rng(SEED + 1)
    rows: list[Features] = []
    prompts: list[str] = []
    for m in owner:
        specification = gallery.specification(int(m))
        row = int(turn.integers(len(specification.Z)))
        features = specification.drawings if drawn and specification.drawings is not None else specification.Z
        rows.append(features[row])
        prompts.append(gallery.prompt(int(m), int(specification.numbers[row])))
    h = unit(np.array(rows, np.float32).reshape(len(owner), gallery.dimension))
    return Bank(h=h, owner=owner, prompts=gallery.prompt_features(prompts))
