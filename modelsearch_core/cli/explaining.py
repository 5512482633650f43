"""`modelsearch search --explain`: why each match stands where it does."""

from __future__ import annotations

from collections.abc import Sequence

from ..search import Explanation, Match, ModelIndex
from ..search.explaining import USUAL
from ..search.query import MethodReading

SHORTEST = 48  # letters of a prompt


def print_explanations(index: ModelIndex, matches: Sequence[Match]) -> None:
    """Each input's part in the score, how its methods' scores were read, and the nearest samples."""
    print("\nscore: in standard deviations of what unrelated queries get; the inputs' parts add up to it")
    print("method: its own score (unrelated queries' median ± spread, hub: taken off who is near to all) = z × weight")
    for match in matches:
        print(f"\n{match.rank}. {match.name}: score {_score(match)}, relevance {match.relevance:.2f}")
        for part in match.explanation:
            _print_part(index, match, part)


def _score(match: Match) -> str:
    """With how far it may be off, where it is a guess."""
    return f"{match.score:+.2f}{f' ± {match.deviation:.2f}, guessed' if match.guessed else ''}"


def _print_part(index: ModelIndex, match: Match, part: Explanation) -> None:
    weight = "" if abs(part.weight) == 1 else f", weight {abs(part.weight):g}"
    weight += ", not wanted" if part.weight < 0 else ""
    print(f"   {part.label} ({part.modality.value}{weight}): {part.contribution:+.2f}")
    for reading in part.methods:
        print(f"      {_reading(reading)}")
    if not part.methods:
        print("      says nothing of this model")
    if part.nearest:
        print(f"      nearest samples: {'; '.join(_samples(index, match, part))}")


def _reading(reading: MethodReading) -> str:
    if reading.method == USUAL:
        return f"what every model gets for it, and what is not known of this one: {reading.z:+.2f}"
    hub = f", hub {_figure(reading.hub)}" if abs(reading.hub) > 1e-3 * abs(reading.spread) else ""
    usual = f"{_figure(reading.median)} ± {_figure(reading.spread)}"
    return f"{reading.method} {_figure(reading.score)} ({usual}{hub}) = {reading.z:+.2f} × {reading.weight:.2f}"


def _figure(value: float) -> str:
    """Cosines to three places, log-densities to one."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _samples(index: ModelIndex, match: Match, part: Explanation) -> list[str]:
    m = index.row(match.id)
    told: list[str] = []
    for sample in part.nearest:
        prompt = index.collection.prompt(m, sample.number)
        words = prompt if len(prompt) <= SHORTEST else f"{prompt[:SHORTEST]}…"
        told.append(f"{sample.number} ({sample.cosine:.3f}){' ' if words else ''}{words}")
    return told
