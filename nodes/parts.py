"""Text encoders and VAE for a diffusion model that brings none, among the files that ComfyUI lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import folder_paths

from ..modelsearch_core.families import FAMILIES, No
from ..modelsearch_core.families.parts import Parts as Wanted
from ..modelsearch_core.model_files import ModelFile


@dataclass(frozen=True)
class Parts:
    """Files of the parts that a family's record asks for."""

    clip_type: str
    encoders: tuple[Path, ...]
    vae: Path


def parts_for(model: ModelFile) -> Parts | None:
    """All of them, or None where one is not there."""
    wanted = _wanted(model)
    if isinstance(wanted, No):
        return None
    encoders = [_first("text_encoders", encoder.names) for encoder in wanted.encoders]
    vae = _first("vae", wanted.vae.names)
    if vae is None or None in encoders:
        return None
    return Parts(wanted.clip_type, tuple(path for path in encoders if path), vae)


def what_is_missing(model: ModelFile) -> str:
    wanted = _wanted(model)
    if isinstance(wanted, No):
        return f"no text encoder and VAE are known for {model.architecture} ({wanted.why})"
    missing = [each.file for each in wanted.encoders if _first("text_encoders", each.names) is None]
    missing += [] if _first("vae", wanted.vae.names) else [wanted.vae.file]
    return f"in text_encoders and vae there is no file like {', '.join(missing)}"


def _wanted(model: ModelFile) -> Wanted | No:
    family = FAMILIES.get(model.architecture)
    return family.parts_of(model.variant) if family else No("it is of no family that is known")


def _first(folder: str, pattern: str) -> Path | None:
    """The shortest name that fits: the plain release before its variants."""
    names = [n for n in folder_paths.get_filename_list(folder) if re.search(pattern, Path(n).name, re.IGNORECASE)]
    best = min(names, key=lambda name: (len(Path(name).name), name), default=None)
    return Path(folder_paths.get_full_path_or_raise(folder, best)) if best else None
