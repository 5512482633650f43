"""What one picture of a family takes, against a well-known one: that of Stable Diffusion 1.5, as its record asks it."""

from __future__ import annotations

from ..families import FAMILIES, Recipe


def of_sd15(teraflops: float) -> float:
    """How many pictures of SD 1.5 these are."""
    family = FAMILIES["sd15"]
    assert isinstance(family.recipe, Recipe)
    one = family.teraflops(None, family.recipe)
    assert one is not None
    return teraflops / one


def pictures_of_sd15(architecture: str, variant: str | None, recipe: Recipe) -> float | None:
    """That one picture by this recipe takes as long as; None where the network's size is not known."""
    teraflops = FAMILIES[architecture].teraflops(variant, recipe) if architecture in FAMILIES else None
    return None if teraflops is None else of_sd15(teraflops)
