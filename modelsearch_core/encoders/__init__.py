"""What turns pictures and texts into features, and pictures into words. Importing this brings no torch along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..places import home

if TYPE_CHECKING:
    from ..drawing import Drawer
    from ..embedding import Encoder
    from .downloading import Progress
    from .interrogator import Interrogator

DEFAULT_ENCODER = "ViT-B-32-quickgelu/openai"
DEFAULT_ENCODER_MEGABYTES = 605  # that its weights take

__all__ = ["DEFAULT_ENCODER", "open_drawer", "open_encoder", "open_interrogator"]


def open_encoder(
    source: str = DEFAULT_ENCODER,
    *,
    device: str = "auto",
    folders: Sequence[Path] = (),
    may_download: bool = True,
    progress: Progress | None = None,
) -> Encoder:
    """An open_clip model by `architecture/weights`, by `architecture/path of a weights file`, or from a folder with an
    `open_clip_config.json`. `folders` are looked in first. MissingWeightsError where the weights cannot be had."""
    from .clip import ClipEncoder
    from .clip_sources import find_source

    found = find_source(source, folders=folders, may_download=may_download, progress=progress)
    return ClipEncoder.of(found, device)


def open_drawer(
    name: str = "auto",
    *,
    device: str = "auto",
    folders: Sequence[Path] = (),
    may_download: bool = True,
    progress: Progress | None = None,
) -> Drawer:
    """What draws lines: hed, pidinet, outlines, pencil or canny. `auto` is HED where its weights are on disk, else
    outlines, and never downloads; for the others MissingWeightsError where the weights cannot be had."""
    from . import drawers

    return drawers.open_drawer(name, device=device, folders=folders, may_download=may_download, progress=progress)


def open_subject_drawer(name: str = "auto", *, device: str = "auto", folders: Sequence[Path] = ()) -> Drawer:
    """The same for the reference set's subjects, which are large and detailed: where no trained edge detector is on
    disk, `auto` had better draw fine lines."""
    drawer = open_drawer(name, device=device, folders=folders)
    coarse = name == "auto" and drawer.name == "outlines"
    return open_drawer("fine_outlines") if coarse else drawer


def open_interrogator(encoder: Encoder, device: str = "auto") -> Interrogator:
    """What puts pictures into words, on top of an encoder: begins with BLIP's caption where that is on disk."""
    from .captioner import local_captioner
    from .interrogator import PhraseInterrogator

    return PhraseInterrogator(encoder, local_captioner(device), cache=home() / "phrases")
