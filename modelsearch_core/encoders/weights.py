"""Finds weights: a folder of the user's, where the hosts keep them, the hub's cache, else one download.

Order: `MODELSEARCH_WEIGHTS`, the library's own folder, the hosts' folders below the working directory, the hub's cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import open_clip

from ..errors import MissingWeightsError, ModelSearchError
from ..places import home

VARIABLE = "MODELSEARCH_WEIGHTS"
HOST_FOLDERS = ("models/clip_vision", "models/clip", "models/CLIP")
NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Weights:
    """A file of a repository of the hub, and the name under which a person may put it anywhere."""

    repository: str
    files: tuple[str, ...]
    own_name: str


def clip_weights(architecture: str, tag: str) -> Path:
    """The weights of an open_clip model. MissingWeightsError if they are nowhere and cannot be downloaded."""
    settings = open_clip.get_pretrained_cfg(architecture, tag)
    if not settings:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise ModelSearchError(f"{architecture} has no weights named {tag!r}; there are: {known}")
    repository = str(settings.get("hf_hub", "")).rstrip("/")
    wanted = Weights(repository, NAMES, f"{architecture}-{tag}.safetensors")
    return find(wanted) or download(wanted)


def folders() -> Iterator[Path]:
    """Where a person may have put weights."""
    if chosen := os.environ.get(VARIABLE):
        yield Path(chosen).expanduser()
    yield home() / "weights"
    yield from (Path.cwd() / folder for folder in HOST_FOLDERS)


def find(wanted: Weights) -> Path | None:
    """The file, if it is on disk."""
    own = (folder / wanted.own_name for folder in folders())
    return next((path for path in own if path.is_file()), None) or _cached(wanted)


def _cached(wanted: Weights) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for file in wanted.files if wanted.repository else ():
        path = try_to_load_from_cache(wanted.repository, file)
        if isinstance(path, str):
            return Path(path)
    return None


def download(wanted: Weights) -> Path:
    """One download into the hub's cache, with the hub's own progress bar and its resuming."""
    from huggingface_hub import hf_hub_download

    reasons: list[str] = []
    for file in wanted.files if wanted.repository else ():
        try:
            return Path(hf_hub_download(wanted.repository, file))
        except Exception as error:  # the hub's client has a class for each way to be offline
            reasons.append(f"{file}: {type(error).__name__}")
    raise MissingWeightsError(
        f"the weights of {wanted.own_name.removesuffix('.safetensors')} are not on disk and could not be downloaded "
        f"({'; '.join(reasons) or 'no source is known'}). Get {wanted.files[0]} of {wanted.repository} and put it at "
        f"{home() / 'weights' / wanted.own_name}"
    )
