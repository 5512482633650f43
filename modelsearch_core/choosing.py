"""Which LoRA to apply for a query without anybody looking: few, only relevant ones, and "none" is an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from .pairs import half_for, one_each, other_halves
from .scores.calibration import WEAK_BELOW

if TYPE_CHECKING:
    from .search import Match, ModelIndex, Query

MOST = 3
USUAL_STRENGTH = 0.8
# Confidence below which nothing is applied unasked. Of words, so that at most one unrelated text in twenty gets a LoRA
# (docs/results_trust.md); of pictures, by benchmarks/picking.py: for LoRA that chose nothing .45 picks one for .36 of
# their pictures, right for three of four, and for .13 where they are not there.
SURE = 0.45


@dataclass(frozen=True)
class Choice:
    """A LoRA and the strength to apply it with. `path` is its file that goes with the base, where it is two."""

    match: Match
    strength: float
    path: Path


@dataclass(frozen=True)
class Chosen:
    """`best` is the most relevant of all that were compared, also where it was not relevant enough; `unsure` where it
    was, but it is less sure than `wanted` that it is meant."""

    choices: tuple[Choice, ...]
    best: Match | None
    unsure: bool = False
    wanted: float = 0.0


def choose(
    index: ModelIndex,
    query: Query,
    among: Collection[Path],
    *,
    architecture: str | None = None,
    count: int = 1,
    floor: float = WEAK_BELOW,
    base: Path | None = None,
) -> Chosen:
    """The best `count` LoRA above the relevance `floor`, different ones rather than alike; none where it is not sure
    enough that the best of them is meant. A floor of 0 takes the best whatever it is. What comes as two files (Wan 2.2)
    is one of them: the file that goes with `base`."""
    from .collection import Filters  # brings the catalog along, which a WebUI need not wait for at its start

    if not 1 <= count <= MOST:
        raise ValueError(f"count must be from 1 to {MOST}, not {count}")
    halves = _listed(other_halves(index.collection.entries), among)
    most = max(count, 4) * (2 if halves else 1)
    filters = Filters(kind="lora", architecture=architecture, among=among)
    found = index.search(query, filters=filters, k=most, diverse=count > 1)
    matches, _ = one_each(found, halves)
    best = max(matches, key=lambda match: match.relevance, default=None)
    wanted = SURE if floor > 0 else 0.0
    sure = best is not None and best.confidence >= wanted
    relevant = [match for match in matches if match.relevance > floor][:count] if sure else []
    unsure = best is not None and best.relevance > floor and not sure
    applied = zip(relevant, strengths(relevant), strict=True)
    return Chosen(tuple(Choice(m, s, half_for(base, m.path, halves)) for m, s in applied), best, unsure, wanted)


def _listed(halves: Mapping[Path, Path], among: Collection[Path]) -> dict[Path, Path]:
    return {path: other for path, other in halves.items() if path in among and other in among}


def strengths(matches: Collection[Match]) -> list[float]:
    """Suggested strengths, divided by the root of how many are applied: unrelated changes add up to about one."""
    usual = (USUAL_STRENGTH if match.strength is None else match.strength for match in matches)
    return [round(strength / sqrt(len(matches)), 2) for strength in usual]
