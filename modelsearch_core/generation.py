"""The interface that a host lends: pictures from a model.

`modelsearch_core.generators` has the one that stands on diffusers; a host (ComfyUI, a WebUI) brings its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from PIL import Image

from .model_files import ModelFile
from .probes import Probe, ProbeSet


class Generator(Protocol):
    """Turns a model and probes into pictures."""

    @property
    def name(self) -> str: ...

    def base_of(self, model: ModelFile) -> ModelFile | None:
        """The base model that a LoRA is applied to; None for a model that stands alone.

        Raises MissingBaseError, naming what is missing.
        """
        ...

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        """The probes with this generator's settings for this model: size, steps, base, accelerator, decoder, ..."""
        ...

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        """8-bit RGB pictures of the numbered probes, in order, batch by batch.

        Raises InvalidOutputError for black, constant or NaN pictures; ModelSearchError for what a user can mend.
        """
        ...
