"""Few-step networks found on disk, each with the sampler, steps and guidance its authors say.

They are told by their names: nothing else sets them apart from any other LoRA. LCM (arXiv 2311.05556), SDXL-Lightning
(arXiv 2402.13929), Hyper-SD (arXiv 2404.13686), TCD (arXiv 2402.19159), DMD2 (arXiv 2405.14867), SDXL-Turbo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..model_files import Kind, ModelFile
from .recipes import Recipe

ARCHITECTURES = ("sd15", "sd2", "sdxl", "sd_mini")


@dataclass(frozen=True, kw_only=True)
class _Family:
    """`pattern` finds the published names; its group, where it has one, is the number of steps."""

    pattern: re.Pattern[str]
    steps: int
    sampler: str
    guidance: float = 1.0


def _family(pattern: str, sampler: str, steps: int, guidance: float = 1.0) -> _Family:
    return _Family(pattern=re.compile(pattern), steps=steps, sampler=sampler, guidance=guidance)


_FAMILIES = (  # best pictures first
    _family(r"hyper[-_ ]?sd\w*[-_ ](8|12)[-_ ]?steps?[-_ ]cfg", "ddim_trailing", 8, guidance=5.0),
    _family(r"hyper[-_ ]?sd\w*[-_ ](8|4|2)[-_ ]?steps?", "ddim_trailing", 8),
    _family(r"lightning[-_ ](8|4|2)[-_ ]?steps?", "euler_trailing", 8),
    _family(r"dmd2[-_ ]\w*4[-_ ]?step", "lcm", 4),
    _family(r"\btcd[-_ ]sd", "tcd", 6),
    _family(r"lcm[-_ ]?(lora|sd)|sd\w*[-_ ]lcm\b", "lcm", 6),
    _family(r"xl[-_ ]turbo[-_ ]lora|turbo[-_ ]?lora[-_ ]\w*xl", "euler_trailing", 4),
)
_DISTILLED = (  # checkpoints that have such a network merged in
    _family(r"lightning|hyper|turbo", "euler_trailing", 6),
    _family(r"lcm", "lcm", 6),
)


@dataclass(frozen=True)
class Accelerator:
    """A few-step LoRA and the recipe that goes with it."""

    lora: ModelFile
    recipe: Recipe


def accelerator_for(architecture: str, candidates: Sequence[ModelFile], recipe: Recipe) -> Accelerator | None:
    """The best one for this architecture, or None. The CFG variant of Hyper-SD comes first among equals in steps, then
    the others in the order of `_FAMILIES`, more steps before fewer."""
    if architecture not in ARCHITECTURES:
        return None
    found = [
        (rank, -steps, lora.path.name, lora, family, steps)
        for lora in candidates
        if lora.kind is Kind.LORA and lora.architecture == architecture
        for rank, family, steps in [_family_of(lora)]
        if family is not None
    ]
    if not found:
        return None
    *_, lora, family, steps = min(found, key=lambda item: item[:3])
    return Accelerator(lora, replace(recipe, steps=steps, guidance=family.guidance, sampler=family.sampler))


def is_accelerator(model: ModelFile) -> bool:
    return model.kind is Kind.LORA and _family_of(model)[1] is not None


def distilled_recipe(checkpoint: ModelFile, recipe: Recipe) -> Recipe | None:
    """The recipe of a checkpoint whose name says that it needs few steps; None for any other."""
    name = f"{checkpoint.path.name} {checkpoint.title}".lower()
    for family in _DISTILLED if checkpoint.architecture in ARCHITECTURES else ():
        if family.pattern.search(name):
            return replace(recipe, steps=family.steps, guidance=family.guidance, sampler=family.sampler)
    return None


def _family_of(lora: ModelFile) -> tuple[int, _Family | None, int]:
    """Which family, at which rank, with how many steps; a file called pytorch_lora_weights is named by its folder."""
    name = f"{lora.path.parent.name} {lora.path.stem}" if "lora_weights" in lora.path.name else lora.path.stem
    for rank, family in enumerate(_FAMILIES):
        if match := family.pattern.search(name.lower()):
            steps = next((int(group) for group in match.groups() if group and group.isdigit()), family.steps)
            return rank, family, steps
    return len(_FAMILIES), None, 0
