"""What a search node hands on: matches with the names that ComfyUI has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.search import Match, ModelIndex, Query
from . import places
from .catalogue import reading
from .images import to_images

ANY = "any"
PICTURES = 4


@dataclass(frozen=True)
class Found:
    """A match and its name in ComfyUI's lists."""

    match: Match
    name: str
    pictures: tuple[Image.Image, ...]

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
    count: int = 10


def search(query: Query, filters: Filters) -> list[Found]:
    """Best first; never empty. ModelSearchError that says why nothing was found."""
    names = {path: name for path, name in places.listed(filters.kind).items() if _inside(name, filters.folder)}
    if not names:
        raise ModelSearchError(_no_file(filters))
    with reading() as index:
        matches = index.search(
            query,
            kind=None if filters.kind == "diffusion_model" else filters.kind,
            architecture=None if filters.architecture == ANY else filters.architecture,
            among=names,
            method=filters.method,
            k=filters.count,
        )
        return [found_of(index, match, names) for match in _relevant(matches, names, filters)]


def _relevant(matches: Sequence[Match], names: Mapping[Path, str], filters: Filters) -> list[Match]:
    if not matches:
        raise ModelSearchError(
            f"None of the {len(names)} files in {places.FOLDERS[filters.kind]}{_where(filters)} is in the index"
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


def found_of(index: ModelIndex, match: Match, names: Mapping[Path, str]) -> Found:
    """With ComfyUI's name and the model's nearest pictures."""
    pictures = (index.sample(match.id, number) for number in match.thumbnails[:PICTURES])
    name = places.name_of(match.path, match.copies, names)
    assert name is not None  # it was searched among these
    return Found(match, name, tuple(picture for picture in pictures if picture is not None))


def _inside(name: str, folder: str) -> bool:
    wanted = folder.strip().replace("\\", "/").strip("/")
    return not wanted or name.replace("\\", "/").casefold().startswith(f"{wanted}/".casefold())


def _no_file(filters: Filters) -> str:
    return f"ComfyUI lists no model in {places.FOLDERS[filters.kind]}{_where(filters)}."


def _where(filters: Filters) -> str:
    return f"/{filters.folder.strip()}" if filters.folder.strip() else ""


def at_rank(found: Sequence[Found], rank: int) -> Found:
    if rank > len(found):
        raise ModelSearchError(f"Only {len(found)} models were found; rank {rank} is beyond them.")
    return found[rank - 1]
