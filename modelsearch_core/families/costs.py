"""What one picture of a family takes, against a well-known one: that of Stable Diffusion 1.5, as its record asks it."""

from __future__ import annotations

from .record import No, Recipe
from .registry import FAMILIES


def of_sd15(teraflops: float) -> float:
    """How many pictures of SD 1.5 these are."""
    family = FAMILIES["sd15"]
    assert isinstance(family.recipe, Recipe)
    one = family.teraflops(None, family.recipe)
    assert one is not None
    return teraflops / one


def pictures_of_sd15(architecture: str, variant: str | None = None, recipe: Recipe | None = None) -> float | None:
    """That one picture takes as long as, by this recipe or its record's; None where that is not known."""
    family = FAMILIES.get(architecture)
    if family is None:
        return None
    wanted = recipe or family.recipe_of(variant)
    teraflops = None if isinstance(wanted, No) else family.teraflops(variant, wanted)
    return None if teraflops is None else of_sd15(teraflops)
