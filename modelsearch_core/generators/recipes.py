"""How each architecture is asked: size, steps, guidance, sampler.

Sizes are those the models were trained at, but SDXL and the large transformers get 768, where they still compose well
and cost half of 1024 (METHODS 9); encoders look at 224 pixels anyway, and for them 16 steps of DPM++ 2M are enough.
All samplers are deterministic, given the starting noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import ModelSearchError
from .settings import GeneratorSettings


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`guidance` of 1 runs the network once a step, without a negative prompt."""

    size: int
    steps: int
    guidance: float
    sampler: str = "dpmpp_2m"
    negative_prompt: str = ""


RECIPES = {
    "sd_mini": Recipe(size=64, steps=15, guidance=3.0),
    "sd15": Recipe(size=512, steps=16, guidance=6.0),
    "sd2": Recipe(size=768, steps=16, guidance=6.0),
    "sdxl": Recipe(size=768, steps=16, guidance=5.0),
    "sd3": Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    "flux": Recipe(size=768, steps=20, guidance=3.5, sampler="own"),
}
OTHER = Recipe(size=768, steps=20, guidance=4.5, sampler="own")
NOT_FROM_TEXT = {
    "sdxl_refiner": "it refines pictures of another model; index the model it belongs to",
    "svd": "it makes video from a picture",
    "stable_cascade": "its stages lie in several models",
}


def recipe_for(architecture: str, settings: GeneratorSettings) -> Recipe:
    """The table's row with what the user chose instead. Raises ModelSearchError for what makes no picture from text."""
    if architecture in NOT_FROM_TEXT:
        raise ModelSearchError(f"{architecture} is not indexed by what it generates: {NOT_FROM_TEXT[architecture]}")
    return override(RECIPES.get(architecture, OTHER), settings)


def override(recipe: Recipe, settings: GeneratorSettings) -> Recipe:
    return replace(
        recipe,
        size=settings.size or recipe.size,
        steps=settings.steps or recipe.steps,
        guidance=recipe.guidance if settings.guidance is None else settings.guidance,
    )
