"""What to think of one model's answers, and what can be done about it."""

from __future__ import annotations

import shlex
from enum import Enum
from pathlib import Path

from ..scores.differences import samples_needed

FOUND, USUALLY = 0.8, 0.5  # top-1 from which on a model is called found, usually found
CLOSE = 0.8  # top-5 from which on it is called close
MANY = 20  # models from which on five of them are few
FEW = 8  # pictures below which a model says too little of itself
USUAL = 64  # pictures that indexing makes where nobody says how many
MOST = 256  # pictures that are advised
WORTH_IT = 0.05  # of top-1 that twice the samples must bring


class Verdict(str, Enum):
    """What to think of a model's answers, worst first."""

    FAILED = "failed"  # nothing could be generated with it
    BROKEN = "broken"  # its pictures are all one, or its base's
    UNSEEN = "unseen"  # known by words only
    TOO_FEW = "too_few"
    MISTAKEN = "mistaken"
    TWIN = "twin"  # mistaken for a model that makes nearly the same pictures
    CLOSE = "close"  # among the first five
    USUALLY = "usually"
    FOUND = "found"

    @property
    def order(self) -> int:
        return list(Verdict).index(self)


def by_share(top1: float, top5: float, candidates: int) -> Verdict:
    """Of a model that could be asked, among so many."""
    if top1 >= USUALLY:
        return Verdict.FOUND if top1 >= FOUND else Verdict.USUALLY
    return Verdict.CLOSE if top5 >= CLOSE and candidates >= MANY else Verdict.MISTAKEN


def more_samples(samples: int, top1: float, top1_of_half: float, consistency: float | None) -> int | None:
    """How many pictures would be worth making; None where more of them promise nothing.

    A LoRA's consistency says how many its direction takes (docs/methods.md 5); what half of the samples found says
    whether the number matters here.
    """
    wanted = USUAL if samples < USUAL else 0
    if top1 - top1_of_half > WORTH_IT:
        wanted = max(wanted, 2 * samples)
    if consistency is not None and consistency > 0:
        wanted = max(wanted, int(min(MOST, samples_needed(consistency))))
    wanted = min(MOST, -(-wanted // 8) * 8)
    return wanted if wanted > samples else None


def index_again(path: Path, samples: int | None = None) -> str:
    """The command that does it."""
    return f"modelsearch index {shlex.quote(str(path))}" + (f" --samples {samples}" if samples else "")
