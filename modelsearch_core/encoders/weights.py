"""Finds weights: a folder of the user's, where the hosts keep them, the hubs' caches, else one download.

Order: folders that the caller names, `MODELSEARCH_WEIGHTS`, this library's own folder, the hosts' folders, the caches
of the Hugging Face hub and of torch. A person may put a file into any of the folders, under its own name or under the
name that it has at its source.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ..errors import MissingWeightsError, ModelSearchError
from ..model_files.pickles import load_pickle
from ..places import expanded, home
from .downloading import DownloadError, Progress, download

VARIABLE = "MODELSEARCH_WEIGHTS"
ENDPOINT_VARIABLE, ENDPOINT = "HF_ENDPOINT", "https://huggingface.co"
OFFLINE_VARIABLE = "HF_HUB_OFFLINE"
INNER = "state_dict", "model_state_dict"  # what a file of a training has its weights under
BLOCKS = 256  # of 4096 bytes each, that a digest reads


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights that are published as one file of a repository of the hub.

    `files` are alternatives, the preferred one first. `own_name` (without an ending) is unique among all weights; the
    files' names may not be, and only if `known_by_file` do they identify the weights by themselves.
    """

    own_name: str
    repository: str
    files: tuple[str, ...]
    size: int | None = None  # bytes, about
    sha256: str | None = None  # of the first file
    host_folders: tuple[str, ...] = ()  # below a host's folder
    known_by_file: bool = False

    @property
    def names(self) -> list[str]:
        own = dict.fromkeys(self.own_name + Path(file).suffix for file in self.files)
        return [*own, *(Path(file).name for file in self.files if self.known_by_file)]

    @property
    def target(self) -> Path:
        """Where a download goes."""
        return home() / "weights" / self.names[0]


def weights_file(
    wanted: Weights,
    *,
    folders: Sequence[Path] = (),
    may_download: bool = True,
    progress: Progress | None = None,
) -> Path:
    """The weights on disk, downloaded if need be. MissingWeightsError where that fails or is not wanted."""
    if found := find(wanted, folders):
        return found
    if not may_download:
        raise _missing(wanted, "downloading was not asked for")
    if os.environ.get(OFFLINE_VARIABLE, "").lower() in ("1", "true", "yes", "on"):
        raise _missing(wanted, f"{OFFLINE_VARIABLE} forbids a download")
    return _fetched(wanted, progress)


def find(wanted: Weights, folders: Sequence[Path] = ()) -> Path | None:
    """The file, if it is on disk."""
    places = [*folders, *_own_folders(), *_host_folders(wanted)]
    candidates = (folder / name for folder in places for name in wanted.names)
    return next((path for path in candidates if path.is_file()), None) or _cached(wanted)


def _own_folders() -> Iterator[Path]:
    if chosen := os.environ.get(VARIABLE):
        yield expanded(chosen)
    yield home() / "weights"


def _host_folders(wanted: Weights) -> Iterator[Path]:
    yield from (root / folder for root in host_roots() for folder in wanted.host_folders)


def host_roots() -> list[Path]:
    """The working directory, and the host whose `custom_nodes` or `extensions` this library lies in."""
    here = Path(__file__).absolute()
    inside = [folder.parent for folder in here.parents if folder.name in ("custom_nodes", "extensions")]
    return list(dict.fromkeys([*inside[:1], Path.cwd()]))


def _cached(wanted: Weights) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for file in wanted.files if wanted.repository else ():
        path = try_to_load_from_cache(wanted.repository, file)
        if isinstance(path, str):
            return Path(path)
    of_torch = (Path(torch.hub.get_dir()) / "checkpoints" / name for name in wanted.names)
    return next((path for path in of_torch if path.is_file()), None)


def _fetched(wanted: Weights, progress: Progress | None) -> Path:
    reasons: list[str] = []
    for number, file in enumerate(wanted.files if wanted.repository else ()):
        target = wanted.target.with_suffix(Path(file).suffix)
        try:
            return download(url(wanted, file), target, sha256=None if number else wanted.sha256, progress=progress)
        except DownloadError as error:
            reasons.append(str(error))
            if not error.not_there:
                break
    raise _missing(wanted, "; ".join(reasons) or "no source is known")


def url(wanted: Weights, file: str) -> str:
    """`HF_ENDPOINT` names a mirror, as for every program that uses the hub."""
    return f"{os.environ.get(ENDPOINT_VARIABLE, ENDPOINT).rstrip('/')}/{wanted.repository}/resolve/main/{file}"


def _missing(wanted: Weights, reason: str) -> MissingWeightsError:
    size = f" (about {wanted.size / 1e6:.0f} MB)" if wanted.size else ""
    get = f"download {url(wanted, wanted.files[0])} and " if wanted.repository else ""
    return MissingWeightsError(
        f"the weights {wanted.own_name}{size} are not on disk: {reason}; to go on, {get}put the file at "
        f"{wanted.target}, or under the same name into the folder that {VARIABLE} names"
    )


def digest_of(file: Path, facts: bytes) -> str:
    """8 hex digits of what changes features (`facts`; its size among it) and of blocks spread over a weights file."""
    size, digest = file.stat().st_size, hashlib.sha256(facts)
    with file.open("rb") as stream:
        for block in range(BLOCKS):
            stream.seek(max(0, size - 4096) * block // (BLOCKS - 1))
            digest.update(stream.read(4096))
    return digest.hexdigest()[:8]


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, never running code that is in it. ModelSearchError with the way out."""
    try:
        state: Any = load_file(file) if file.suffix == ".safetensors" else load_pickle(file)
    except Exception as error:  # safetensors, pickle, zip and torch each have their own
        raise ModelSearchError(
            f"{file} cannot be read as weights ({type(error).__name__}: {str(error)[:200]}); delete it to have it "
            "fetched again, or use a .safetensors file of the same model"
        ) from error
    if not isinstance(state, dict):
        raise ModelSearchError(f"{file} holds a {type(state).__name__} in the place of weights")
    while inner := next((state[key] for key in INNER if isinstance(state.get(key), dict)), None):
        state = inner
    return {str(key).removeprefix("module."): value for key, value in state.items() if torch.is_tensor(value)}
