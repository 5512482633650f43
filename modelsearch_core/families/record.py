"""What is known of a family of diffusion models: one record, which everything that differs by family reads.

Every field must be given. One that a family has nothing for holds `No` with the reason, so that nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """How a family is asked for a picture. `guidance` of 1 runs the network once a step, without a negative prompt; so
    does one that the network `embeds_guidance` of, as an input. `shift` moves the steps of a flow towards noise; None
    is what its configuration says."""

    size: int  # pixels, width and height
    steps: int
    guidance: float
    sampler: str = "dpmpp_2m"
    negative_prompt: str = ""
    shift: float | None = None
    embeds_guidance: bool = False

    @property
    def evaluations(self) -> int:
        """How often the network runs for a picture."""
        return self.steps * (1 if self.guidance == 1 or self.embeds_guidance else 2)


@dataclass(frozen=True, kw_only=True)
class FewSteps:
    """Models of a family that were distilled, or LoRA that make one so (`is_lora`). `pattern` finds the published name
    among the words of a file's name, its title and what its header or a hub says of it, in lower case. `variants`:
    only models of these widths."""

    name: str  # as its makers call such
    pattern: str
    steps: int
    guidance: float = 1.0
    sampler: str = "own"
    shift: float | None = None
    embeds_guidance: bool = False
    is_lora: bool = False
    variants: tuple[str, ...] = ()

    def on(self, recipe: Recipe) -> Recipe:
        return replace(
            recipe,
            steps=self.steps,
            guidance=self.guidance,
            sampler=self.sampler,
            shift=self.shift or recipe.shift,
            embeds_guidance=self.embeds_guidance,
        )


@dataclass(frozen=True, kw_only=True)
class Work:
    """How much one run of the network is. `weights`: how many, in 10⁹, an image token meets; those of a U-Net are what
    it was counted to take for a cell of the latent, divided so. `token`: pixels of its side. `text`: tokens beside it.

    Attention among tokens, an eighth at the sizes asked for, is left out.
    """

    weights: float
    token: int = 16
    text: int = 512

    def teraflops(self, size: int) -> float:
        """For a picture of that width and height."""
        return 2 * self.weights * ((size // self.token) ** 2 + self.text) / 1000


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
    work: Work | None = None
    rare: bool = False  # as of a family


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
    them. `rare`: the less likely one of twins where nothing tells which of them a LoRA is for.
    """

    name: str
    title: str
    words: tuple[str, ...] | No
    releases: tuple[Release, ...] | No
    unet: Unet | No
    layers: Layers | No
    variants: tuple[Variant, ...] | No
    lineages: tuple[Lineage, ...] | No
    classes: tuple[str, ...] | No  # beginnings of the names of diffusers' classes: of the model, of a U-Net's pipeline
    gguf: tuple[str, ...] | No  # `general.architecture` of quantised files
    recipe: Recipe | No
    few_steps: tuple[FewSteps, ...] | No  # the first that fits counts
    work: Work | No
    parts: Parts | No
    pipeline: Pipeline | No
    small_decoder: str | No  # TAESD's name in `vae_approx`
    classic: bool = False
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

    def work_of(self, variant: str | None) -> Work | No:
        found = self.variant(variant)
        return found.work if found and found.work else self.work

    def teraflops(self, variant: str | None, recipe: Recipe) -> float | None:
        """Of one picture; None where it is not known."""
        work = self.work_of(variant)
        return None if isinstance(work, No) else recipe.evaluations * work.teraflops(recipe.size)


def known(values: tuple[Value, ...] | No) -> tuple[Value, ...]:
    """The values; none for a `No`."""
    return () if isinstance(values, No) else values
