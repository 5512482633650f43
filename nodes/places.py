"""Where this ComfyUI keeps its models and our catalog, and what it calls a model."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import folder_paths

FOLDERS = {"lora": "loras", "checkpoint": "checkpoints", "diffusion_model": "diffusion_models"}
CATALOG = "catalog.sqlite"
MOMENT = 2.0  # seconds


def catalog_path() -> Path:
    """In the user directory, where no route of ComfyUI's reaches."""
    system = getattr(folder_paths, "get_system_user_directory", None)
    own = system("modelsearch") if system else Path(folder_paths.get_user_directory()) / "__modelsearch"
    return Path(own) / CATALOG


def subjects_folder() -> Path:
    """Where a user may put pictures to be drawn and filled out, in place of the bundled ones."""
    return catalog_path().with_name("subjects")


def model_folders() -> dict[Path, str]:
    """The folders that are there, with ComfyUI's word for each."""
    found = ((_absolute(path), kind) for kind in FOLDERS.values() for path in folder_paths.get_folder_paths(kind))
    return {path: kind for path, kind in found if path.is_dir()}


def picture_folders() -> list[Path]:
    """Where ComfyUI saves what its user makes."""
    return [_absolute(folder_paths.get_output_directory())]


def weights_folders() -> list[Path]:
    """Where CLIP may lie."""
    kinds = ("text_encoders", "clip_vision")
    return [_absolute(path) for kind in kinds for path in folder_paths.get_folder_paths(kind)]


def listed(kind: str) -> dict[Path, str]:
    """Files of a kind by the name that ComfyUI's loaders take. Of two files with one name the first folder's counts."""
    folder = FOLDERS[kind]
    names = folder_paths.get_filename_list(folder)
    roots = [_absolute(root) for root in folder_paths.get_folder_paths(folder)]
    return {path: name for name in names if (path := _first_there(roots, name))}


def listed_now(kind: str) -> dict[Path, str]:
    """As `listed`, a moment old at most; for many questions in a row."""
    return _listed_at(kind, int(time.monotonic() / MOMENT))


@lru_cache(maxsize=len(FOLDERS))
def _listed_at(kind: str, moment: int) -> dict[Path, str]:
    return listed(kind)


def newest_lists() -> tuple[Any, ...]:
    """What ComfyUI listed last of each kind; other objects once it has looked again and found a folder changed."""
    return tuple(folder_paths.filename_list_cache.get(kind) for kind in FOLDERS.values())


def name_of(path: Path, copies: tuple[Path, ...], names: Mapping[Path, str]) -> str | None:
    """What ComfyUI calls a model, or a copy of it."""
    return next((names[place] for place in (path, *copies) if place in names), None)


def is_inside(name: str, folder: str) -> bool:
    """Whether a name in ComfyUI's lists begins with that folder; every name, where it is empty."""
    wanted = folder.strip().replace("\\", "/").strip("/")
    return not wanted or name.replace("\\", "/").casefold().startswith(f"{wanted}/".casefold())


def _first_there(roots: list[Path], name: str) -> Path | None:
    if len(roots) == 1:
        return roots[0] / name
    return next((path for root in roots if (path := root / name).is_file()), None)


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  as a scan has it: links stay links
