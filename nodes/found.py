"""What a search node hands on: matches with the names that ComfyUI has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.search import Match, Query
from . import places
from .catalogue import reading
from .images import to_images
from .messages import no_file, where
from .renewing import renew

ANY = "any"
PICTURES = 4
MOST = 100  # models that a search hands on: as far as a rank goes


@dataclass(frozen=True)
class Found:
    """A match and its name in ComfyUI's lists."""

    match: Match
    name: str

    @cached_property
    def pictures(self) -> list[Image.Image]:
        """The model's nearest ones, read when they are asked for."""
        with reading() as index:
            found = [index.sample(self.match.id, number) for number in self.match.thumbnails[:PICTURES]]
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
        return f"{self.match.rank}. {self.name}  {self.score:.2f}{' (weak)' if self.match.weak else ''}"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What may be found: `folder` is below ComfyUI's own, as names in its lists begin."""

    kind: str
    architecture: str = ANY
    folder: str = ""
    minimum: float = 0.0
    method: str = "auto"
    count: int = MOST


def search(query: Query, filters: Filters) -> list[Found]:
    """Best first; never empty. ModelSearchError that says why nothing was found."""
    renew(filters.kind)
    names = {path: name for path, name in places.listed(filters.kind).items() if places.is_inside(name, filters.folder)}
    if not names:
        raise ModelSearchError(no_file(filters.kind, filters.folder))
    with reading() as index:
        matches = index.search(
            query,
            kind=None if filters.kind == "diffusion_model" else filters.kind,
            architecture=None if filters.architecture == ANY else filters.architecture,
            among=names,
            method=filters.method,
            k=filters.count,
        )
    return [found_of(match, names) for match in _relevant(matches, names, filters)]


def _relevant(matches: Sequence[Match], names: Mapping[Path, str], filters: Filters) -> list[Match]:
    if not matches:
        raise ModelSearchError(
            f"None of the {len(names)} files in {places.FOLDERS[filters.kind]}{where(filters.folder)} is in the index"
            f"{'' if filters.architecture == ANY else f' as {filters.architecture}'}. "
            "Index them in the Model Search side bar, or choose another architecture or folder."
        )
    relevant = [match for match in matches if match.relevance >= filters.minimum]
    if not relevant:
        best = matches[0]
        raise ModelSearchError(
            f"Nothing is relevant enough: the best match, {best.name}, has {best.relevance:.2f} and at least "
            f"{filters.minimum:.2f} is asked for. Lower minimum_relevance, or ask for something else."
        )
    return relevant


def found_of(match: Match, names: Mapping[Path, str]) -> Found:
    """With ComfyUI's name for it."""
    name = places.name_of(match.path, match.copies, names)
    assert name is not None  # it was searched among these
    return Found(match, name)


def at_rank(found: Sequence[Found], rank: int) -> Found:
    if rank > len(found):
        raise ModelSearchError(f"Only {len(found)} models were found; rank {rank} is beyond them.")
    return found[rank - 1]
