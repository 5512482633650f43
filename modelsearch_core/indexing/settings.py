"""How much is asked of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..model_files import Kind

LIST = 128
LEAST = 12  # pictures, however much one takes; more than the few of a first round
MANY = 9  # models from which on all get a few pictures first


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """`samples` asks exactly that many of every model; None starts with `first` and adds, up to `most`, for a LoRA
    whose direction is less reliable than `reliability` (docs/methods.md 5)."""

    samples: int | None = None
    few: int = 8  # of each of many new models, before any of them gets more
    first: int = 32
    plain: int = 64  # for a model without a base, which has no direction
    most: int = 128
    reliability: float = 0.9
    budget: float = 1000  # most that one model may take, in pictures of SD 1.5; not of `samples`
    quick: bool = False  # words and previews only
    refresh: bool = False  # again for models whose probes were other ones
    sketches: bool = True  # read what LoRA change from their weights
    kinds: Sequence[Kind] | None = None
    pictures: Sequence[Path] | None = None  # folders of pictures that the user made; None: as the last time, (): none
    picture_sets: Sequence[Path] | None = None  # folders with a sub-folder of pictures for each model; the same

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise ValueError(f"samples must be at least 1, not {self.samples}")
        if not self.budget > 0:
            raise ValueError(f"budget must be more than 0, not {self.budget}")

    def within_budget(self, takes: float | None) -> IndexSettings:
        """For a model of whose pictures one takes as long as so many of SD 1.5; None: that is not known."""
        if not takes:
            return self
        most = max(LEAST, int(self.budget / takes))
        return replace(self, first=min(self.first, most), plain=min(self.plain, most), most=min(self.most, most))

    def rounds(self, models: int) -> tuple[IndexSettings, ...]:
        """Settings of one run after the other: a few pictures of all models, then what each is to have."""
        wanted = LIST if self.samples is None else self.samples
        if models < MANY or not self.few < wanted <= LIST:  # a longer list of probes would be another set
            return (self,)
        return replace(self, samples=self.few), self

    @property
    def probes(self) -> int:
        """Length of the list of probes. It is part of the digest, so it does not follow the number of samples."""
        wanted = max(self.samples or 0, self.most, self.plain, self.first)
        return -(-wanted // LIST) * LIST
