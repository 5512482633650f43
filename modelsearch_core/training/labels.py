"""Pictures with what is known of them: which model made each, of which subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Labels:
    """Model and subject of each of N pictures, as numbers."""

    models: Numbers  # (N,)
    subjects: Numbers  # (N,)

    def __len__(self) -> int:
        return len(self.models)

    def of(self, chosen: NDArray[np.bool_] | Numbers) -> Labels:
        return Labels(self.models[chosen], self.subjects[chosen])


@dataclass(frozen=True)
class Split:
    """Models that training never sees, and subjects that ask while the others are the reference set."""

    models: Numbers
    subjects: Numbers

    def training(self, labels: Labels) -> NDArray[np.bool_]:
        return ~np.isin(labels.models, self.models) & ~np.isin(labels.subjects, self.subjects)

    def queries(self, labels: Labels) -> NDArray[np.bool_]:
        """Pictures of the unseen models, of the subjects held out."""
        return np.isin(labels.models, self.models) & np.isin(labels.subjects, self.subjects)

    def references(self, labels: Labels) -> NDArray[np.bool_]:
        return ~np.isin(labels.subjects, self.subjects)


def held_out(labels: Labels, share: float, rng: np.random.Generator) -> Split:
    """A share of the models and of the subjects, two models and one subject at least."""
    models, subjects = np.unique(labels.models), np.unique(labels.subjects)
    return Split(
        rng.permutation(models)[: max(2, round(share * len(models)))],
        rng.permutation(subjects)[: max(1, round(share * len(subjects)))],
    )


def triplets(labels: Labels, rng: np.random.Generator) -> Numbers:
    """(n, 3) anchor, positive, negative: every picture is an anchor once, in random order.

    Positive: another subject by the same model. Negative: any picture by another model (section 3.4 of the paper). A
    picture whose model has no other subject is left out.
    """
    rows = [_triplet(labels, int(anchor), rng) for anchor in rng.permutation(len(labels))]
    return np.array([row for row in rows if row], np.intp).reshape(-1, 3)


def _triplet(labels: Labels, anchor: int, rng: np.random.Generator) -> tuple[int, int, int] | None:
    own = labels.models == labels.models[anchor]
    positives = np.flatnonzero(own & (labels.subjects != labels.subjects[anchor]))
    negatives = np.flatnonzero(~own)
    if not len(positives) or not len(negatives):
        return None
    return anchor, int(rng.choice(positives)), int(rng.choice(negatives))
