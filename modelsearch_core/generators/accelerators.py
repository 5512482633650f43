"""Few-step networks, LoRA or merged into a checkpoint, each with the sampler, steps and guidance its authors say.

They are told by their published names, as words of their own in a file's name or at the start of its title, and by
what headers and hubs say of a checkpoint; nothing in their tensors sets them apart. Those of Stable Diffusion stand
here, the same for all of its kind; those of other families in their records. LCM (arXiv 2311.05556), SDXL-Turbo (arXiv
2311.17042), SDXL-Lightning (arXiv 2402.13929), TCD (arXiv 2402.19159), Hyper-SD (arXiv 2404.13686), DMD2 (arXiv
2405.14867).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..families import FAMILIES, FewSteps, Recipe, known
from ..model_files import Kind, ModelFile

CLASSIC = tuple(family.name for family in FAMILIES.values() if family.classic)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # realisticVision v51HyperVAE, XLTurbo
_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True)
class _Family:
    """`pattern` finds the published names among words; its group, where it has one, is the number of steps."""

    pattern: re.Pattern[str]
    steps: int
    sampler: str
    guidance: float = 1.0
    architectures: tuple[str, ...] = CLASSIC


def _family(
    pattern: str, sampler: str, steps: int, guidance: float = 1.0, architectures: tuple[str, ...] = CLASSIC
) -> _Family:
    found = re.compile(pattern)
    return _Family(pattern=found, steps=steps, sampler=sampler, guidance=guidance, architectures=architectures)


_FAMILIES = (  # of LoRA, best pictures first
    _family(r"\bhyper ?sd\w* (8|12) ?steps? cfg\b", "ddim_trailing", 8, guidance=5.0),
    _family(r"\bhyper ?sd\w* (8|4|2) ?steps?\b", "ddim_trailing", 8),
    _family(r"(?:\bsd ?xl )?\blightning (8|4|2) ?steps?\b", "euler_trailing", 8),
    _family(r"\bdmd2 (?:\w+ )*4 ?steps?\b", "lcm", 4),
    _family(r"\btcd sd", "tcd", 6),
    _family(r"\blcm ?(?:lora|sd)|\bsd\w*(?: v?\d+)* lcm\b", "lcm", 6),
    _family(r"\bxl turbo lora\b|\bturbo ?lora (?:\w+ )*\w*xl\b", "euler_trailing", 4),
)
_MERGED = (  # checkpoints that have such a network in them
    _family(r"\blightning\b", "euler_trailing", 6, architectures=("sdxl", "sd_mini")),
    _family(
        r"\bhyper ?(?:sd\w*|vae|cfg|\d+ ?steps?)\b", "euler_trailing", 6, architectures=("sd15", "sdxl", "sd_mini")
    ),
    _family(r"\bturbo\b", "euler_trailing", 6, architectures=("sd2", "sdxl", "sd_mini")),
    _family(r"\blcm\b", "lcm", 6),
    _family(r"\bdmd ?2\b", "lcm", 6, architectures=("sdxl", "sd_mini")),
)
_SAID = (  # Civitai's names of bases ("SDXL Hyper", "SD 1.5 LCM") and ModelSpec's of architectures
    _family(r"^(?:sd|sdxl|stable diffusion)\b[\w ]* (?:lightning|hyper|turbo)(?: v?\d+| base)*$", "euler_trailing", 6),
    _family(r"^(?:sd|sdxl|stable diffusion)\b[\w ]* lcm(?: v?\d+| base)*$", "lcm", 6),
)


@dataclass(frozen=True)
class Accelerator:
    """A few-step LoRA and the recipe that goes with it."""

    lora: ModelFile
    recipe: Recipe


class Accelerators:
    """The best few-step LoRA of each architecture among models, looked for once.

    The CFG variant of Hyper-SD comes first among equals in steps, then the others in the order of `_FAMILIES`, more
    steps before fewer.
    """

    def __init__(self, models: Iterable[ModelFile]) -> None:
        loras = [model for model in models if model.kind is Kind.LORA]
        self._best: Mapping[str, tuple[ModelFile, _Family, int]] = _best_of_each(loras)
        own = [(lora, few) for lora in loras if (few := _few_steps(lora)) is not None]
        self._own = sorted(own, key=lambda each: (-each[1].steps, each[0].path.name))

    def of(self, architecture: str, recipe: Recipe, variant: str | None = None) -> Accelerator | None:
        """None where there is none for this architecture, or for that variant of it."""
        for lora, few in self._own:
            if lora.architecture == architecture and lora.variant in (None, variant):
                return Accelerator(lora, few.on(recipe))
        if architecture not in self._best:
            return None
        lora, family, steps = self._best[architecture]
        return Accelerator(lora, replace(recipe, steps=steps, guidance=family.guidance, sampler=family.sampler))


def is_accelerator(model: ModelFile) -> bool:
    return model.kind is Kind.LORA and (_family_of(model)[1] is not None or _few_steps(model) is not None)


def is_distilled(checkpoint: ModelFile) -> bool:
    """Whether it says that it needs few steps."""
    return _merged(checkpoint) is not None or _few_steps(checkpoint) is not None


def distilled_recipe(checkpoint: ModelFile, recipe: Recipe) -> Recipe | None:
    """The recipe of a checkpoint that says that it needs few steps; None for any other."""
    if (few := _few_steps(checkpoint)) is not None:
        return few.on(recipe)
    family = _merged(checkpoint)
    return family and replace(recipe, steps=family.steps, guidance=family.guidance, sampler=family.sampler)


def _few_steps(model: ModelFile) -> FewSteps | None:
    """What the record of its family says of such a model, or of such a LoRA."""
    family = FAMILIES.get(model.architecture)
    if family is None:
        return None
    names = f"{model.path.stem} / {model.title} / {model.base_hint or ''} / "
    said = _plain(names) + _words(names)  # T2V is a word, and ZImageTurbo three
    wanted = [few for few in known(family.few_steps) if few.is_lora is (model.kind is Kind.LORA)]
    of_width = [few for few in wanted if not few.variants or model.variant in few.variants]
    return next((few for few in of_width if re.search(few.pattern, said)), None)


def _merged(checkpoint: ModelFile) -> _Family | None:
    if checkpoint.architecture not in CLASSIC:
        return None
    name, said = _words(f"{checkpoint.path.stem} / {checkpoint.title}"), _words(checkpoint.base_hint or "")
    for family in _MERGED:
        if checkpoint.architecture in family.architectures and family.pattern.search(name):
            return family
    return next((family for family in _SAID if family.pattern.search(said)), None)


def _best_of_each(models: Iterable[ModelFile]) -> dict[str, tuple[ModelFile, _Family, int]]:
    found: dict[str, list[tuple[int, int, str, ModelFile, _Family]]] = {}
    for lora in models:
        if lora.architecture in CLASSIC:
            rank, family, steps = _family_of(lora)
            if family is not None:
                found.setdefault(lora.architecture, []).append((rank, -steps, lora.path.name, lora, family))
    best = {architecture: min(all_of_it, key=lambda item: item[:3]) for architecture, all_of_it in found.items()}
    return {architecture: (lora, family, -steps) for architecture, (_, steps, _, lora, family) in best.items()}


def _family_of(lora: ModelFile) -> tuple[int, _Family | None, int]:
    """Which family, at which rank, with how many steps; a file called pytorch_lora_weights is named by its folder."""
    stem = f"{lora.path.parent.name} {lora.path.stem}" if "lora_weights" in lora.path.name else lora.path.stem
    name, title = _plain(stem), _plain(lora.title)
    for rank, family in enumerate(_FAMILIES):
        if match := family.pattern.search(name) or family.pattern.match(title):
            steps = next((int(group) for group in match.groups() if group and group.isdigit()), family.steps)
            return rank, family, steps
    return len(_FAMILIES), None, 0


def _plain(name: str) -> str:
    return _SEPARATORS.sub(" ", name).lower()


def _words(name: str) -> str:
    """Of a name in camel case, too."""
    return _plain(_CAMEL.sub(" ", name))
