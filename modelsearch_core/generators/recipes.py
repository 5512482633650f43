"""How each family is asked: size, steps, guidance, sampler, as its record says.

Sizes are those the models were trained at, but SDXL and the large transformers get 768, where they still compose well
and cost half of 1024; encoders look at 224 pixels anyway, and for them 16 steps of DPM++ 2M are enough.
All samplers are deterministic, given the starting noise.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelSearchError
from ..families import FAMILIES, No, Recipe
from .settings import GeneratorSettings

UNKNOWN_RECIPE = Recipe(size=768, steps=20, guidance=4.5, sampler="own")


def recipe_for(architecture: str, settings: GeneratorSettings, variant: str | None = None) -> Recipe:
    """The family's recipe with what the user chose instead. Raises ModelSearchError for what makes no picture from
    text."""
    family = FAMILIES.get(architecture)
    recipe = family.recipe_of(variant) if family else UNKNOWN_RECIPE
    if isinstance(recipe, No):
        raise ModelSearchError(f"{architecture} is not indexed by what it generates: {recipe.why}")
    return override(recipe, settings)


def override(recipe: Recipe, settings: GeneratorSettings) -> Recipe:
    return replace(
        recipe,
        size=settings.size or recipe.size,
        steps=settings.steps or recipe.steps,
        guidance=recipe.guidance if settings.guidance is None else settings.guidance,
    )
