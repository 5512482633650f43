"""Every family's record is complete, and the records agree with each other."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from benchmarks.families_page import PAGE, page
from modelsearch_core.families import (
    ARCHITECTURES,
    FAMILIES,
    Family,
    No,
    family_called,
    known,
    lineage_in,
    variant_called,
)
from modelsearch_core.families.layers import Layers

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@every_family
def test_a_family_has_a_value_or_the_word_that_it_has_none_and_why(family: Family) -> None:
    for field in fields(family):
        value = getattr(family, field.name)
        assert value not in ((), "", None), f"{family.name}.{field.name} is empty: give No and why"
        assert not isinstance(value, No) or len(value.why) > 5, f"{family.name}.{field.name}"


@every_family
def test_a_family_is_told_by_a_unet_or_by_releases(family: Family) -> None:
    assert isinstance(family.unet, No) is not isinstance(family.releases, No)
    for release in known(family.releases):
        assert any(not name.startswith("!") for name in release.names)


@every_family
def test_patterns_compile_and_blocks_are_those_of_the_layers(family: Family) -> None:
    if isinstance(family.layers, Layers):
        stacks = [line.stack for line in family.layers.lines if line.stack]
        for variant in known(family.variants):
            for stack in variant.blocks:
                assert any(pattern.fullmatch(stack) for pattern in stacks), f"no layer of {family.name} is in {stack}"
    for lineage in known(family.lineages):
        re.compile(lineage.pattern)


@every_family
def test_its_words_name_it_and_no_other_family(family: Family) -> None:
    for word in known(family.words):
        assert family_called(word) is family


@every_family
def test_names_of_variants_and_lineages_are_unique(family: Family) -> None:
    for named in (known(family.variants), known(family.lineages)):
        assert len({each.name for each in named}) == len(named)
    for variant in known(family.variants):
        assert family.variant(variant.name) is variant
        assert all(family_called(word) is family for word in variant.words)


def test_the_page_of_families_is_written_from_the_records() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python benchmarks/families_page.py"


def test_every_family_is_an_architecture_once() -> None:
    assert len(ARCHITECTURES) == len(set(ARCHITECTURES)) == len(FAMILIES) + 1
    lineages = [lineage.name for family in FAMILIES.values() for lineage in known(family.lineages)]
    assert len(lineages) == len(set(lineages))


@pytest.mark.parametrize(
    ("word", "family", "variant"),
    [
        ("flux-1-dev/lora", "flux", None),
        ("Flux.1 D", "flux", None),
        ("flux_2_klein_4b", "flux2", "klein-4b"),
        ("Flux.2 Klein 9B", "flux2", "klein-9b"),
        ("stable-diffusion-xl-v1-base/lora", "sdxl", None),
        ("Illustrious", "sdxl", None),
        ("Pony", "sdxl", None),
        ("Pony V7", "auraflow", None),
        ("SD 3.5 Medium", "sd3", "medium"),
        ("sd_1.5", "sd15", None),
        ("hunyuan-video-1.5/lora", "hunyuan_video_15", None),
        ("hunyuan-image-2.1", "hunyuan_image", None),
        ("framepack", "hunyuan_video", None),
        ("LTXV2", "ltx2", None),
        ("wan_2.2_5b", "wan", "5b"),
        ("Stable-Cascade-v1-prior/lora", "stable_cascade", None),
        ("ZImageTurbo", "z_image", None),
        ("ponyDiffusionV6XL_v6.safetensors", "sdxl", None),
        ("noobaiXLNAIXL_vPred10Version", "sdxl", None),
        ("black-forest-labs/FLUX.1-dev", "flux", None),
        ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl", None),
        ("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v", "hunyuan_video_15", None),
        ("black-forest-labs/FLUX.2-klein-base-4B", "flux2", "klein-4b"),
        ("ostris/Flex.1-alpha", "flux", "8b"),
        ("stable-diffusion-v3-large/lora", "sd3", "large"),
    ],
)
def test_trainers_and_hubs_words_name_families(word: str, family: str, variant: str | None) -> None:
    found = family_called(word)
    assert found is FAMILIES[family]
    named = variant_called(found, word)
    assert (named.name if named else None) == variant


def test_a_word_that_nobody_knows_names_no_family() -> None:
    for text in ("something else", "", "wanderer_v2.safetensors", "animerge", "lensflare", "fluxion"):
        assert family_called(text) is None


@pytest.mark.parametrize(
    ("family", "text", "lineage"),
    [
        ("sdxl", "Pony", "pony"),
        ("sdxl", "C:/models/ponyDiffusionV6XL_v6.safetensors", "pony"),
        ("sdxl", "NoobAI", "noobai"),
        ("sdxl", "noobaiXLNAIXL_vPred10Version", "noobai"),
        ("sdxl", "Illustrious-XL-v1.0", "illustrious"),
        ("sdxl", "ILXL style", "illustrious"),
        ("sdxl", "sd_xl_base_1.0", None),
        ("sdxl", "il buono", None),
        ("auraflow", "Pony V7", "pony_v7"),
        ("wan", "Wan Video 2.2 I2V-A14B", "wan2.2"),
        ("flux", "Flux.1 Kontext", "kontext"),
        ("unknown", "Pony", None),
    ],
)
def test_users_names_for_fine_tunes_are_lineages(family: str, text: str, lineage: str | None) -> None:
    found = lineage_in(family, text)
    assert (found.name if found else None) == lineage
