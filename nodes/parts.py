"""Text encoders and VAE for a diffusion model that brings none, among the files that ComfyUI lists.

A family's record says what it runs with. Files are chosen by what they are; among several of a kind, and where that
does not tell, by what they are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..modelsearch_core.families import FAMILIES, No
from ..modelsearch_core.families import parts as known_parts
from ..modelsearch_core.families.parts import Parts as Wanted
from ..modelsearch_core.families.parts import TextEncoder, Vae
from ..modelsearch_core.model_files import ModelFile
from .part_files import files, is_encoder, is_vae

PARTS = [each for each in vars(known_parts).values() if isinstance(each, (TextEncoder, Vae))]


@dataclass(frozen=True)
class Parts:
    """Files of the parts that a family's record asks for. No VAE: the model makes pixels."""

    clip_type: str
    encoders: tuple[Path, ...]
    vae: Path | None


def parts_for(model: ModelFile) -> Parts | None:
    """All of them, or None where one is not there."""
    wanted = _wanted(model)
    if isinstance(wanted, No):
        return None
    encoders = [encoder_file(encoder) for encoder in wanted.encoders]
    vae = vae_file(wanted.vae)
    if None in encoders or (vae is None and wanted.vae.kind != "pixels"):
        return None
    return Parts(wanted.clip_type, tuple(path for path in encoders if path), vae)


def what_is_missing(model: ModelFile) -> str:
    """The files that are wanted, each with its folder."""
    wanted = _wanted(model)
    if isinstance(wanted, No):
        return f"no text encoder and VAE are known for {model.architecture} ({wanted.why})"
    missing = [f"text_encoders/{each.file}" for each in wanted.encoders if encoder_file(each) is None]
    missing += [] if wanted.vae.kind == "pixels" or vae_file(wanted.vae) else [f"vae/{wanted.vae.file}"]
    return f"ComfyUI's models lack {' and '.join(missing)}"


def encoder_file(wanted: TextEncoder) -> Path | None:
    """The file that is this text encoder."""
    return _best(files("text_encoders"), wanted, lambda path: is_encoder(path, wanted))


def vae_file(wanted: Vae) -> Path | None:
    """The file that is this VAE; another family's is not, though it may be of the same tensors."""
    return _best(files("vae"), wanted, lambda path: is_vae(path, wanted))


def _wanted(model: ModelFile) -> Wanted | No:
    family = FAMILIES.get(model.architecture)
    return family.parts_of(model.variant) if family else No("it is of no family that is known")


def _best(paths: Sequence[Path], wanted: TextEncoder | Vae, is_one: Callable[[Path], bool | None]) -> Path | None:
    """Called as released, then called so, then what only its tensors tell; the plain release before its variants."""
    fitting = [path for path in paths if _may_be(path, wanted, is_one(path))]
    return min(fitting, key=lambda path: _order(path, wanted), default=None)


def _may_be(path: Path, wanted: TextEncoder | Vae, is_one: bool | None) -> bool:
    named = _is_called(path, wanted)
    others = [each for each in PARTS if type(each) is type(wanted) and each is not wanted and each.kind == wanted.kind]
    return is_one is not False and (named or (is_one is True and not any(_is_called(path, each) for each in others)))


def _order(path: Path, wanted: TextEncoder | Vae) -> tuple[bool, bool, int, str]:
    return path.name != wanted.file, not _is_called(path, wanted), len(path.name), str(path)


def _is_called(path: Path, part: TextEncoder | Vae) -> bool:
    return re.search(part.names, path.name, re.IGNORECASE) is not None
