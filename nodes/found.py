"""What a search node hands on: matches with the names that ComfyUI has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from ..modelsearch_core.choosing import SURE
from ..modelsearch_core.collection import Filters
from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.guesses import Guesses
from ..modelsearch_core.pairs import is_low_noise, one_each, other_halves
from ..modelsearch_core.panel.queries import MOST_ANSWERS
from ..modelsearch_core.panel.search_server import SearchServer
from ..modelsearch_core.search import Match, Query
from . import places
from .catalogue import reading
from .host import panel
from .images import to_images
from .messages import no_file, where
from .renewing import renew
from .wording import matches_by_words, only_words_are_known, previews_of

PICTURES = 4
LOW_NOISE = "For a second loader, where a model is two files (Wan 2.2): the one for low noise; else the same name."
MOST = 100  # models that a search hands on: as far as a rank goes
OPEN = Filters()
GUESSES = Guesses(places.catalog_path)


@dataclass(frozen=True)
class Found:
    """A match and its name in ComfyUI's lists. Of two files that are one model (Wan 2.2), `name` is the one for high
    noise, whichever was found; `low_noise` is the other, and the same where there is one file only. `wanted`: how sure
    the search must be that the match is meant, for it to be applied though nobody has looked at it."""

    match: Match
    name: str
    low_noise: str
    wanted: float = 0.0

    def half(self, noise: str) -> Found:
        """With the file for `high` or `low` noise in its place."""
        return replace(self, name=self.low_noise) if noise == "low" else self

    @cached_property
    def pictures(self) -> list[Image.Image]:
        """The model's nearest ones, read when they are asked for; what lies beside it, where none was generated."""
        if not self.match.thumbnails:
            return list(previews_of(self.match)[:PICTURES])
        numbers = self.match.thumbnails[:PICTURES]
        if (server := panel().elsewhere.server()) is not None:
            found = [server.sample(self.match.id, number) for number in numbers]
        else:
            with reading() as index:
                found = [index.sample(self.match.id, number) for number in numbers]
        return [picture for picture in found if picture is not None]

    @property
    def trigger_words(self) -> str:
        return ", ".join(self.match.trigger_words)

    @property
    def strength(self) -> float:
        return 1.0 if self.match.strength is None else self.match.strength

    @property
    def tag(self) -> str:
        return f"<lora:{self.name.rsplit('.', 1)[0]}:{self.strength:g}>"

    @property
    def score(self) -> float:
        return round(self.match.relevance, 4)

    def images(self) -> Any:
        return to_images(self.pictures)

    def line(self) -> str:
        return f"{self.match.rank}. {self.name}  {self.score:.2f}{_doubts(self.match)}"


def _doubts(match: Match) -> str:
    """Of the first, how sure it is to be meant; of any, whether it fits, and whether that was measured."""
    said = [f"{match.confidence:.0%} sure"] if match.rank == 1 else []
    said += ["weak"] if match.weak else []
    said += ["guessed from its name or preview"] if match.guessed else []
    return f" ({', '.join(said)})" if said else ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What may be found, as a node is told it: `folder` is below ComfyUI's own, as names in its lists begin."""

    kind: str
    folder: str = ""
    filters: Filters = OPEN
    minimum: float = 0.0
    method: str = "auto"
    count: int = MOST

    def among(self, names: Iterable[Path]) -> Filters:
        """Files of ComfyUI's list of diffusion models are that to it, whatever they hold."""
        return replace(self.filters, kind=None if self.kind == "diffusion_model" else self.kind, among=names)


def search(query: Query, wanted: Wanted) -> list[Found]:
    """Best first, two files of one model once; never empty. ModelSearchError that says why nothing was found."""
    renew(wanted.kind)
    names = {path: name for path, name in places.listed(wanted.kind).items() if places.is_inside(name, wanted.folder)}
    if not names:
        raise ModelSearchError(no_file(wanted.kind, wanted.folder))
    matches, halves = _answered(query, wanted, names)
    relevant, _ = one_each(_relevant(matches, names, wanted), halves)
    return [
        replace(found_of(replace(match, rank=n), names, halves), wanted=SURE) for n, match in enumerate(relevant, 1)
    ]


def _answered(query: Query, wanted: Wanted, names: Iterable[Path]) -> tuple[list[Match], dict[Path, Path]]:
    """Matches, and what lies in two files; by words alone, while no encoder has looked at any model."""
    if (server := panel().elsewhere.server()) is not None:
        found = list(_here(server, query, wanted, names))
        return found, other_halves(found)
    if only_words_are_known():
        found = matches_by_words(query, wanted.among(names), wanted.count)
        return found, other_halves(found)
    with reading() as index:
        found = index.search(query, filters=wanted.among(names), method=wanted.method, k=wanted.count)
        GUESSES.saw(found)
        return found, other_halves(index.collection.entries)


def _here(server: SearchServer, query: Query, wanted: Wanted, names: Iterable[Path]) -> Iterator[Match]:
    """A search server's matches that this ComfyUI lists, with its own paths."""
    known = set(names)
    filters = replace(wanted.filters, kind=wanted.kind)
    for match in server.search(query, filters=filters, method=wanted.method, k=MOST_ANSWERS):
        here = panel().elsewhere.here(match.id, match.path, match.kind)
        if here is not None and not known.isdisjoint((here.path, *here.copies)):
            yield replace(match, path=here.path, copies=here.copies)


def _relevant(matches: Sequence[Match], names: Mapping[Path, str], wanted: Wanted) -> list[Match]:
    if not matches:
        said = ", ".join(wanted.filters.said.values())
        raise ModelSearchError(
            f"None of the {len(names)} files in {places.FOLDERS[wanted.kind]}{where(wanted.folder)} can be judged"
            f"{said and f' as {said}'}: they are not in the index, or only "
            "their words are known. Press Index now in the Model Search side bar, or choose another folder or family."
        )
    relevant = [match for match in matches if match.relevance >= wanted.minimum]
    if not relevant:
        best = matches[0]
        raise ModelSearchError(
            f"Nothing is relevant enough: the best match, {best.name}, has {best.relevance:.2f} and at least "
            f"{wanted.minimum:.2f} is asked for. Lower minimum_relevance, or ask for something else."
        )
    return relevant


def found_of(match: Match, names: Mapping[Path, str], halves: Mapping[Path, Path]) -> Found:
    """With ComfyUI's name for it, and for its other half where that is listed, too."""
    name = places.name_of(match.path, match.copies, names)
    assert name is not None  # it was searched among these
    other = names.get(halves.get(match.path, match.path), name)
    return Found(match, *((other, name) if is_low_noise(match.path) else (name, other)))


def at_rank(found: Sequence[Found], rank: int) -> Found:
    if rank > len(found):
        raise ModelSearchError(f"Only {len(found)} models were found; rank {rank} is beyond them.")
    return found[rank - 1]
