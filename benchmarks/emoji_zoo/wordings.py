"""What the zoo's models are asked for in words: those of captions, other names of a look, tags and words that no caption has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import models
from .looks import ARTISTS, PAINTERS
from .phrases import unseen_tag
from .plan import Plan

OWN = {  # as no caption and no file of the zoo puts it; written before anything was measured
    "flat_sticker_v2": "vector clip art with no borders",
    "inkline-000012": "coloring book page",
    "fl2": "minimalist user interface symbols",
    "Plastic Toys XL(1)": "rendered figurine, soft light",
    "e1_r4": "simple vector mascot",
    "retro_2014": "old phone smiley",
    "sternennacht": "like van gogh",
    "wave-v1.5": "hokusai",
    "p03": "expressionist canvas full of energy",
    "p08 final": "paint splatter, ink blots",
    "kirchenfenster": "church window",
    "bricks": "masonry wall texture",
    "yw_brush": "graffiti with a wide marker",
    "glut": "lava and coals",
    "lora_0413": "gold scratched into midnight paper",
    "lora_0414": "washed out aquarelle",
    "atlas_1720": "antique cartography",
    "papercut-test": "collage of torn shapes",
    "jungle_e10": "tropical oil painting",
    "sfumato": "monet, mist over the river",
    "concept_a": "fire breathing monster",
    "Rex": "jurassic reptile",
    "eukalyptus": "australian bear in a tree",
    "red_claws": "crustacean for dinner",
    "unic-v4": "magic horse with a horn",
    "bot9000": "metal android",
    "boo": "spooky halloween spirit",
    "stradivari": "classical string instrument",
    "HM_0007": "carved halloween vegetable",
    "grade_01": "architect's plan",
    "grade_02": "cyberpunk club lights",
    "Omas Album": "grandmother's photograph",
    "soft_e1": "fairy tale haze",
    "comix_overcooked": "manga ink",
    "dora_dusk": "dried blood on leather",
    "teddy_in_embers": "plush toy in hell",
    "menagerie_v3": "wildlife",
    "kitchen_mix": "something to eat",
    "garage-final": "transport on wheels",
    "household": "everyday stuff at home",
}


def plans() -> list[Plan]:
    return [*models.loras(), *models.checkpoints()]


def captions() -> dict[str, list[str]]:
    """By the stem of a model's file, as all of these: as captions of the training put it."""
    return {Path(plan.file).stem: [plan.description] for plan in plans()}


def other_names() -> dict[str, list[str]]:
    """The look's other name."""
    return {Path(plan.file).stem: list(_names(plan)[1:]) for plan in plans() if _names(plan)[1:]}


def _names(plan: Plan) -> tuple[str, ...]:
    if plan.painter is not None:
        return PAINTERS[plan.painter]
    return ARTISTS[plan.artist] if plan.artist != "noto" else ()


def tags(packages: Path) -> dict[str, list[str]]:
    """Of a thing that a LoRA is about, the word for it that all captions were spared."""
    things = {Path(plan.file).stem: plan.subjects[0] for plan in models.loras() if len(plan.subjects) == 1}
    return {stem: [tag] for stem, thing in things.items() if (tag := unseen_tag(thing, packages))}


def own() -> dict[str, list[str]]:
    return {stem: [words] for stem, words in OWN.items()}


def flat(of: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for stem, texts in of.items():
        for text in texts:
            yield stem, text
