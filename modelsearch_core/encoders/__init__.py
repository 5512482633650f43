"""What turns pictures and texts into features. Importing this brings no torch along."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..embedding import Encoder
    from .interrogator import Interrogator

DEFAULT_ENCODER = "ViT-B-32-quickgelu/openai"

__all__ = ["DEFAULT_ENCODER", "open_encoder", "open_interrogator"]


def open_encoder(source: str = DEFAULT_ENCODER, *, device: str = "auto") -> Encoder:
    """An open_clip model by `architecture/weights`, by `architecture/path of a weights file`, or from a folder with an
    `open_clip_config.json`. MissingWeightsError where the weights cannot be had."""
    from .clip import ClipEncoder

    return ClipEncoder.open(source, device=device)


def open_interrogator(encoder: Encoder) -> Interrogator:
    """What puts pictures into words, on top of an encoder."""
    from .interrogator import PhraseInterrogator

    return PhraseInterrogator(encoder)
