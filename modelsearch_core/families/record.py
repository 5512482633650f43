"""What is known of a family of diffusion models: one record, which everything that differs by family reads.

Every field must be given. One that a family has nothing for holds `No` with the reason, so that nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from .layers import Layers
from .parts import Parts

Value = TypeVar("Value")


@dataclass(frozen=True)
class No:
    """That there is none, and why."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a family is asked for a picture. `guidance` of 1 runs the network once a step, without a negative prompt."""

    size: int  # pixels, width and height
    steps: int
    guidance: float
    sampler: str = "dpmpp_2m"
    negative_prompt: str = ""


@dataclass(frozen=True)
class Release:
    """One way in which the family's diffusion models are written.

    `names` are tensors that all of them have, `!` before one that none has. `stacks` are tensors of the blocks, with
    `{}` for the block's number, whose input is as wide as the model; the first tells the width.
    """

    names: tuple[str, ...]
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Models of a family whose widths differ, so that a LoRA of one does not fit on another.

    `blocks` counts the blocks of each stack as LoRA name it. `words` are how metadata and hints that name it begin.
    """

    name: str
    width: int
    blocks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    words: tuple[str, ...] = ()
    parts: Parts | None = None  # where they are others than the family's
    recipe: Recipe | None = None


@dataclass(frozen=True)
class Lineage:
    """Fine-tunes of a family that became a base of their own; users know models by it. `pattern` finds it in names and
    hints, in lower case. `parent` is the lineage that it was trained from itself."""

    name: str
    title: str
    pattern: str
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unet:
    """A U-Net: as wide as the text features that it attends to, and as its vector of labels where it has one."""

    context: int
    labels: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The class of diffusers that loads single files. `repository` has the folder with what a file lacks; `parameters`
    of the U-Net tell the released configuration, which is bundled."""

    name: str
    repository: str = ""
    parameters: int | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of diffusion models that share code, text encoders and latents.

    `words` are what trainers and hubs call it, as it begins, without anything but letters and digits.
    `classic` ones are sampled on Stable Diffusion's schedule: few-step samplers and reference-only attention are for
    them. `embeds_guidance`: guidance is an input of the network, which runs once a step. `rare`: the less likely one
    of twins where nothing tells which of them a LoRA is for.
    """

    name: str
    title: str
    words: tuple[str, ...] | No
    releases: tuple[Release, ...] | No
    unet: Unet | No
    layers: Layers | No
    variants: tuple[Variant, ...] | No
    lineages: tuple[Lineage, ...] | No
    classes: tuple[str, ...] | No  # beginnings of the names of diffusers' classes
    gguf: tuple[str, ...] | No  # `general.architecture` of quantised files
    recipe: Recipe | No
    parts: Parts | No
    pipeline: Pipeline | No
    small_decoder: str | No  # TAESD's name in `vae_approx`
    classic: bool = False
    embeds_guidance: bool = False
    rare: bool = False

    def variant(self, name: str | None) -> Variant | None:
        """The variant of this name, if there is one."""
        return next((each for each in known(self.variants) if each.name == name), None)

    def parts_of(self, variant: str | None) -> Parts | No:
        """What a bare model of the variant runs with."""
        found = self.variant(variant)
        return found.parts if found and found.parts else self.parts

    def recipe_of(self, variant: str | None) -> Recipe | No:
        found = self.variant(variant)
        return found.recipe if found and found.recipe else self.recipe


def known(values: tuple[Value, ...] | No) -> tuple[Value, ...]:
    """The values; none for a `No`."""
    return () if isinstance(values, No) else values
