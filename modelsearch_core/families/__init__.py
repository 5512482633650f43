"""Families of diffusion models: everything that is known of each in one record (`record.Family`).

Adding one is a record beside its relatives, and its place in `registry` (docs/development.md).
"""

from .record import Family, FewSteps, Lineage, No, Pipeline, Recipe, Release, Unet, Variant, Work, known
from .registry import ARCHITECTURES, FAMILIES, FAMILIES_AND_LINEAGES, UNKNOWN
from .words import family_called, family_of_class, lineage_in, variant_called

__all__ = [
    "ARCHITECTURES",
    "FAMILIES",
    "FAMILIES_AND_LINEAGES",
    "UNKNOWN",
    "Family",
    "FewSteps",
    "Lineage",
    "No",
    "Pipeline",
    "Recipe",
    "Release",
    "Unet",
    "Variant",
    "Work",
    "family_called",
    "family_of_class",
    "known",
    "lineage_in",
    "variant_called",
]
