"""What a model will be asked with, from headers alone; the same for every engine."""

from __future__ import annotations

from collections.abc import Sequence

from ..families import Recipe
from ..model_files import ModelFile
from .accelerators import Accelerator, Accelerators, distilled_recipe, is_accelerator
from .recipes import override, recipe_for
from .settings import GeneratorSettings

TRIGGER_CHARACTERS = 100  # more would push the prompt out of the text encoder's 77 tokens


def recipe_of(
    model: ModelFile, carrier: ModelFile, accelerators: Accelerators, settings: GeneratorSettings
) -> tuple[Recipe, Accelerator | None]:
    """The architecture's recipe, a distilled model's own, or that of a few-step LoRA that is there. `carrier` is
    the base under a LoRA, or the model itself."""
    plain = recipe_for(carrier.architecture, settings, carrier.variant)
    distilled = distilled_recipe(carrier, plain)
    if distilled is not None:
        return override(distilled, settings), None
    if not settings.accelerator or is_accelerator(model):
        return plain, None
    accelerator = accelerators.of(carrier.architecture, plain, carrier.variant)
    return (override(accelerator.recipe, settings), accelerator) if accelerator else (plain, None)


def short(trigger_words: Sequence[str]) -> tuple[str, ...]:
    """As many of the words, from the first on, as leave room for a prompt."""
    kept: list[str] = []
    for word in trigger_words:
        if len(", ".join([*kept, word])) > TRIGGER_CHARACTERS:
            break
        kept.append(word)
    return tuple(kept)
