"""LoRA that are epochs, copies or merges of each other, by what they change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..catalog.weight_sketches import VERSION
from ..scores.kinship import Kinship
from ..statistics import Statistics
from ..statistics.weights import SAME_TRAINING


@dataclass(frozen=True, kw_only=True)
class Kin:
    """Two LoRA that change nearly the same; `b` changes no less than `a`, `ratio` times as much."""

    a: Path
    b: Path
    cosine: float
    kinship: Kinship
    ratio: float

    @property
    def figures(self) -> dict[str, float | str]:
        """As the command line and the panel write them."""
        return {"similarity": round(self.cosine, 4), "kinship": self.kinship.value, "ratio": round(self.ratio, 4)}

    @property
    def in_words(self) -> str:
        if self.kinship is Kinship.COPY:
            return "the same change, written another way"
        if self.kinship is Kinship.SCALED:
            return f"the same change; the second is {self.ratio:.2f} times as strong"
        return f"epochs of one training, or trainings of the same; the second changes {self.ratio:.2f} times as much"


@dataclass(frozen=True, kw_only=True)
class MergeOf:
    """A LoRA that is alpha·a + beta·b, as far as `explained` says, from 0 to 1."""

    merged: Path
    a: Path
    b: Path
    alpha: float
    beta: float
    explained: float

    @property
    def figures(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in ("alpha", "beta", "explained")}


def near_by_weights(statistics: Statistics, threshold: float | None = None) -> list[Kin]:
    """Most alike first; a merge is told by `merges`."""
    paths = [entry.path for entry in statistics.collection.entries]
    found = statistics.weights.near(SAME_TRAINING if threshold is None else threshold)
    return [Kin(a=paths[of.a], b=paths[of.b], cosine=of.cosine, kinship=of.kinship, ratio=of.ratio) for of in found]


def without_magnitude(statistics: Statistics) -> list[Path]:
    """DoRA that are compared by BA alone, as LoRA are: no base with readable weights was there."""
    collection = statistics.collection
    of = collection.catalog.sketches.without_magnitude(VERSION)
    return [entry.path for entry in collection.entries if entry.fingerprint in of]


def merges(statistics: Statistics) -> list[MergeOf]:
    """The best explained first."""
    paths = [entry.path for entry in statistics.collection.entries]
    return [
        MergeOf(
            merged=paths[of.merged],
            a=paths[of.a],
            b=paths[of.b],
            alpha=of.alpha,
            beta=of.beta,
            explained=of.explained,
        )
        for of in statistics.weights.merges()
    ]
