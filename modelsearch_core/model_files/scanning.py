"""Folders of models: every model below them, once, in a fixed order; what did not change is not opened again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import ModelSearchError, UnreadableModelError
from .architecture import recognise_layout
from .candidates import Candidate, candidate_at, walk
from .fingerprint import plan_of
from .header import layout_of
from .model_file import Kind, ModelFile, SkippedFile
from .reading import read_candidate
from .strangers import plain_line

log = logging.getLogger(__name__)


def scan(
    folders: Iterable[Path],
    known: Mapping[Path, ModelFile | SkippedFile] | None = None,
    kinds: Collection[Kind] | None = None,
) -> Iterator[ModelFile | SkippedFile]:
    """The models in `folders` (folders, or files given as such), and what looked like one and is none.

    For a file that did not change, nor anything beside it, the very object of `known` comes back. With `kinds`, models
    of other kinds are left out. Raises ModelSearchError, before anything is read, for a folder that is missing.
    """
    places = [Path(folder) for folder in folders]
    for place in places:
        if not place.exists():
            raise ModelSearchError(f"{place} does not exist; give a folder of models, or a model file")
    return _scan(places, known or {}, kinds)


def _scan(
    places: Iterable[Path], known: Mapping[Path, ModelFile | SkippedFile], kinds: Collection[Kind] | None
) -> Iterator[ModelFile | SkippedFile]:
    try:
        for candidate in _once(_candidates(places)):
            found = _read(candidate, known.get(candidate.path)) if isinstance(candidate, Candidate) else candidate
            if kinds is None or isinstance(found, SkippedFile) or found.kind in kinds:
                yield found
    finally:
        for shared in (layout_of, plan_of, recognise_layout):  # tens of megabytes, of no use until the next scan
            shared.cache_clear()


def _once(candidates: Iterable[Candidate | SkippedFile]) -> Iterator[Candidate | SkippedFile]:
    """Each path once: folders that are given may lie in one another."""
    seen: set[Path] = set()
    for candidate in candidates:
        if candidate.path not in seen:
            seen.add(candidate.path)
            yield candidate


def _candidates(places: Iterable[Path]) -> Iterator[Candidate | SkippedFile]:
    visited: set[tuple[int, int]] = set()
    for place in places:
        if place.is_dir():
            yield from walk(place, visited)
        else:
            yield _file_at(place)


def _file_at(place: Path) -> Candidate | SkippedFile:
    try:
        return candidate_at(place)
    except OSError as error:
        return SkippedFile(path=place, reason=f"the file cannot be reached: {error.strerror or error}")


def _read(candidate: Candidate, known: ModelFile | SkippedFile | None) -> ModelFile | SkippedFile:
    stamp = candidate.stamp
    if known is not None and known.stamp == stamp:
        return known
    try:
        return read_candidate(candidate)
    except UnreadableModelError as error:
        reason = str(error)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}"
    except Exception as error:  # whatever a file makes our own code raise, the next one is read
        log.exception("%s", candidate.path)
        reason = f"reading it failed ({type(error).__name__}: {str(error)[:200]}); please report this"
    return SkippedFile(path=candidate.path, reason=plain_line(reason), stamp=stamp)
