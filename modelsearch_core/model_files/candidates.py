"""Files and folders that may be models, with what lies beside them, from directory listings alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from .model_file import SkippedFile
from .shards import Shards, shards_among, shards_of

MODEL_EXTENSIONS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
PICTURE_EXTENSIONS = (".png", ".webp", ".jpg", ".jpeg", ".gif", ".avif")
VIDEO_EXTENSIONS = (".mp4", ".webm")
UNFINISHED = ".aria2"  # aria2 keeps it beside a file until all of it is there
NEIGHBOUR_EXTENSIONS = (*PICTURE_EXTENSIONS, *VIDEO_EXTENSIONS, ".json", ".info", ".txt", UNFINISHED)
INDEX_NAME = "model_index.json"  # what makes a folder a model in the diffusers layout
READER = 3  # counted up where files are read better than before, so that what is known is read again
SKIPPED_FOLDERS = {"__pycache__", "__MACOSX", "node_modules"}


class Neighbour(NamedTuple):
    """A file that shares a model's stem, or lies in its folder. `suffix` is the rest of its name, in lower case."""

    name: str
    suffix: str
    size: int
    modified: int


class Listing(NamedTuple):
    """What is in a folder. `illegible` are names of models and folders that are not UTF-8, in ASCII."""

    files: list[os.DirEntry[str]]
    folders: list[str]
    illegible: list[str]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file or folder that may be a model. Of a folder, `size` and `modified` are those of its index."""

    path: Path
    size: int  # bytes
    modified: int  # nanoseconds since the epoch
    neighbours: tuple[Neighbour, ...] = ()
    is_folder: bool = False
    shards: tuple[Path, ...] = ()  # the files of a model that lies in several

    @property
    def stamp(self) -> str:
        """Changes when the file, or a file beside it, does."""
        facts = [str((READER, self.size, self.modified)), *(str((*each[:1], *each[2:])) for each in self.neighbours)]
        return blake2b("\n".join(facts).encode(errors="surrogateescape"), digest_size=8).hexdigest()


def candidate_at(path: Path) -> Candidate:
    """The candidate at `path`, a file or a folder in the diffusers layout. Raises OSError."""
    if path.is_dir():
        return _folder_candidate(path)
    sharded = shards_of(path)
    if sharded:
        return _sharded_candidate(sharded)
    state = path.stat()
    with os.scandir(path.parent) as listing:
        start = f"{path.stem}.".casefold()
        beside = [entry for entry in listing if entry.name.casefold().startswith(start) and _is_text(entry.name)]
    neighbours = _neighbours(_stems(beside) | {path.stem}, beside).get(path.stem, ())
    return Candidate(path=path, size=state.st_size, modified=state.st_mtime_ns, neighbours=tuple(neighbours))


def walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[Candidate | SkippedFile]:
    """Candidates below `folder`, in the order of names, links followed. No folder in `visited` is entered again."""
    pending = [folder]
    while pending:
        folder = pending.pop()
        try:
            files, folders, illegible = _listing(folder, visited)
            if any(entry.name == INDEX_NAME for entry in files):
                yield _folder_candidate(folder)
                continue
        except OSError as error:
            yield SkippedFile(path=folder, reason=f"the folder cannot be read: {error.strerror or error}")
            continue
        if illegible:
            yield SkippedFile(path=folder, reason=f"names that are not UTF-8, such as {illegible[0]}; rename them")
        yield from _candidates(folder, files)
        pending.extend(folder / name for name in sorted(folders, reverse=True))


def _listing(folder: Path, visited: set[tuple[int, int]]) -> Listing:
    """What is in a folder; nothing of one that was visited before, so a loop of links ends."""
    state = folder.stat()
    identity = (state.st_dev, state.st_ino)
    if identity in visited:
        return Listing([], [], [])
    visited.add(identity)
    with os.scandir(folder) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".") and entry.name not in SKIPPED_FOLDERS]
    legible = [entry for entry in entries if _is_text(entry.name)]
    illegible = [ascii(entry.name) for entry in entries if not _is_text(entry.name) and _matters(entry)]
    folders = {entry.name for entry in legible if _is_folder(entry)}
    return Listing([entry for entry in legible if entry.name not in folders], list(folders), illegible)


def _is_text(name: str) -> bool:
    """Whether a name can be stored; an old disk may have names in an encoding that nobody knows any more."""
    return name.isascii() or name.encode("utf-8", "replace").decode() == name


def _matters(entry: os.DirEntry[str]) -> bool:
    return is_model_name(entry.name) or _is_folder(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _candidates(folder: Path, entries: list[os.DirEntry[str]]) -> Iterator[Candidate | SkippedFile]:
    models = sorted((entry for entry in entries if is_model_name(entry.name)), key=lambda entry: entry.name)
    sharded = shards_among(folder, [entry.name for entry in entries])
    yield from _sharded(sharded)
    parts = {path.name for each in sharded for path in each.files}
    neighbours = _neighbours(_stems(models), entries)
    for entry in models:
        if entry.name in parts:
            continue
        path = folder / entry.name
        try:
            state = entry.stat()
        except OSError as error:
            yield SkippedFile(path=path, reason=f"the file cannot be reached: {error.strerror or error}")
            continue
        beside = tuple(neighbours.get(path.stem, ()))
        yield Candidate(path=path, size=state.st_size, modified=state.st_mtime_ns, neighbours=beside)


def _sharded(models: Iterable[Shards]) -> Iterator[Candidate | SkippedFile]:
    """Each model in shards once, and why its files are none themselves."""
    for shards in models:
        said = shards.problem or f"a shard of a model in {len(shards.files)} files, listed as {shards.path.name}"
        if shards.problem:
            yield from (SkippedFile(path=path, reason=said) for path in shards.files)
        else:
            yield from (SkippedFile(path=path, reason=said) for path in shards.files if path != shards.path)
            try:
                yield _sharded_candidate(shards)
            except OSError as error:
                yield SkippedFile(path=shards.path, reason=f"the file cannot be reached: {error.strerror or error}")


def _sharded_candidate(shards: Shards) -> Candidate:
    states = [path.stat() for path in shards.files]
    return Candidate(
        path=shards.path,
        size=sum(state.st_size for state in states),
        modified=max(state.st_mtime_ns for state in states),
        shards=shards.files,
    )


def is_model_name(name: str) -> bool:
    return name.lower().endswith(MODEL_EXTENSIONS)


def _stems(entries: Iterable[os.DirEntry[str]]) -> set[str]:
    return {entry.name[: entry.name.rindex(".")] for entry in entries if is_model_name(entry.name)}


def _neighbours(stems: set[str], entries: Iterable[os.DirEntry[str]]) -> dict[str, list[Neighbour]]:
    """Sidecars and pictures by the stem of the model that they belong to, in the order of names. `Case.png` belongs to
    `case`, unless there is a `Case`."""
    found: dict[str, list[Neighbour]] = {}
    by_any_case = {stem.casefold(): stem for stem in sorted(stems, reverse=True)}
    for entry in entries:
        is_one = entry.name.lower().endswith(NEIGHBOUR_EXTENSIONS)
        stem = _model_stem(entry.name, stems, by_any_case) if is_one else None
        if stem is not None and (state := _state(entry)):
            neighbour = Neighbour(entry.name, entry.name[len(stem) :].lower(), state.st_size, state.st_mtime_ns)
            found.setdefault(stem, []).append(neighbour)
    for neighbours in found.values():
        neighbours.sort()
    return found


def _model_stem(name: str, stems: set[str], by_any_case: Mapping[str, str]) -> str | None:
    """The longest stem that fits: `a.1.png` is the picture of `a.1.safetensors` if there is one, else of `a`."""
    end = name.rfind(".")
    while end > 0:
        if name[:end] in stems:
            return name[:end]
        if name[:end].casefold() in by_any_case:
            return by_any_case[name[:end].casefold()]
        end = name.rfind(".", 0, end)
    return None


def _state(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None


def _folder_candidate(folder: Path) -> Candidate:
    """A diffusers folder; every file below it counts as its neighbour, so that any change is noticed."""
    index = (folder / INDEX_NAME).stat()
    neighbours: list[Neighbour] = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            try:
                state = path.stat()
            except OSError:  # a link to what is gone; what needs it will say so
                continue
            name = path.relative_to(folder).as_posix()
            neighbours.append(Neighbour(name, f"/{name}".lower(), state.st_size, state.st_mtime_ns))
    return Candidate(
        path=folder,
        size=index.st_size,
        modified=index.st_mtime_ns,
        neighbours=tuple(sorted(neighbours)),
        is_folder=True,
    )
