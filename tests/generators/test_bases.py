"""Which base a LoRA gets, and which few-step LoRA goes with it: by names, without a file being opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelsearch_core.errors import MissingBaseError, ModelSearchError
from modelsearch_core.families import FAMILIES, Recipe
from modelsearch_core.generators.accelerators import Accelerators, distilled_recipe, is_accelerator
from modelsearch_core.generators.bases import Bases
from modelsearch_core.generators.recipes import recipe_for
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import Kind, ModelFile


def model(name: str, architecture: str = "sdxl", kind: Kind = Kind.CHECKPOINT, hint: str | None = None) -> ModelFile:
    path = Path("/models") / name
    return ModelFile(path=path, kind=kind, architecture=architecture, fingerprint=name, size=0, modified=0,
                     title=path.stem, base_hint=hint)  # fmt: skip


def lora(name: str = "x.safetensors", architecture: str = "sdxl", hint: str | None = None) -> ModelFile:
    return model(name, architecture, Kind.LORA, hint)


RECIPES = {family.name: family.recipe for family in FAMILIES.values() if isinstance(family.recipe, Recipe)}
CHECKPOINTS = [
    model(name)
    for name in (
        "aaa_sdxl_inpainting.safetensors",
        "animagineXL_v3.safetensors",
        "dreamshaperXL_lightning.safetensors",
        "ponyDiffusionV6XL.safetensors",
        "sd_xl_base_1.0.safetensors",
        "sd_xl_refiner_1.0.safetensors",
    )
] + [model("anything-v3.safetensors", "sd15"), model("v1-5-pruned-emaonly.safetensors", "sd15")]


@pytest.mark.parametrize(
    ("hint", "base"),
    [
        (None, "sd_xl_base_1.0"),
        ("SDXL 1.0", "sd_xl_base_1.0"),
        ("stabilityai/stable-diffusion-xl-base-1.0", "sd_xl_base_1.0"),
        ("Pony", "ponyDiffusionV6XL"),
        ("ponyDiffusionV6XL_v6StartWithThisOne.safetensors", "ponyDiffusionV6XL"),
        ("animagineXL_v3", "animagineXL_v3"),
    ],
)
@pytest.mark.parametrize("step", [1, -1])
def test_a_lora_gets_the_base_its_author_names_else_the_original(hint: str | None, base: str, step: int) -> None:
    assert Bases(CHECKPOINTS[::step]).of(lora(hint=hint)).path.stem == base


def test_an_original_comes_before_a_merge() -> None:
    assert Bases(CHECKPOINTS).of(lora(architecture="sd15")).path.stem == "v1-5-pruned-emaonly"


LINEAGES = [
    model(f"{name}.safetensors")
    for name in ("animagineXL_v3", "noobaiXLNAIXL_vPred10", "plainMix", "ponyDiffusionV6XL", "waiNSFWIllustrious_v110")
]


@pytest.mark.parametrize(
    ("hint", "name", "base"),
    [
        ("NoobAI", "x", "noobaiXLNAIXL_vPred10"),
        ("Illustrious", "x", "waiNSFWIllustrious_v110"),
        ("Pony", "x", "ponyDiffusionV6XL"),
        (None, "ink__Pony_LoRA", "ponyDiffusionV6XL"),
        ("SDXL 1.0", "ink", "plainMix"),
        (None, "ink", "plainMix"),
    ],
)
def test_a_lora_of_a_lineage_gets_a_checkpoint_of_it(hint: str | None, name: str, base: str) -> None:
    assert Bases(LINEAGES).of(lora(f"{name}.safetensors", hint=hint)).path.stem == base


def test_without_one_of_its_lineage_it_gets_that_which_it_came_from() -> None:
    noobai = lora(hint="NoobAI")
    without = [each for each in LINEAGES if "noobai" not in each.path.stem]
    assert Bases(without).of(noobai).path.stem == "waiNSFWIllustrious_v110"
    assert Bases([each for each in without if "Illustrious" not in each.path.stem]).of(noobai).path.stem == "plainMix"


def test_a_base_set_by_hand_wins_over_all() -> None:
    mine = replace(lora(hint="Pony"), base=LINEAGES[0].path)
    assert Bases(LINEAGES, chosen=LINEAGES[2]).of(mine) is LINEAGES[0]
    with pytest.raises(MissingBaseError, match=r"the base that was set for x\.safetensors, .*gone\.ckpt, is not among"):
        Bases(LINEAGES).of(replace(mine, base=Path("/models/gone.ckpt")))


def test_a_lora_is_put_on_a_base_whose_widths_it_fits() -> None:
    small, large = (replace(model(f"wan {name}", "wan"), variant=name) for name in ("1.3b", "14b"))
    wanted = replace(lora(architecture="wan"), variant="14b")
    assert Bases([small, large]).of(wanted) is large
    with pytest.raises(
        MissingBaseError, match=r"a LoRA for wan 14b and needs a base model of that variant; .*: 1\.3b\."
    ):
        Bases([small]).of(wanted)
    assert Bases([small]).of(replace(wanted, variant=None)) is small


def test_the_chosen_base_wins_where_its_architecture_fits() -> None:
    chosen = model("mine.safetensors", "sd15")
    assert Bases(CHECKPOINTS, chosen).of(lora(architecture="sd15")) is chosen
    assert Bases(CHECKPOINTS, chosen).of(lora(architecture="unknown")) is chosen
    assert Bases(CHECKPOINTS, chosen).of(lora()).path.stem == "sd_xl_base_1.0"


@pytest.mark.parametrize("architecture", ["flux", "unknown"])
def test_without_a_base_the_error_names_what_is_there(architecture: str) -> None:
    with pytest.raises(
        MissingBaseError, match=rf"LoRA for {architecture} \(trained on X\).*: sd15, sdxl\..*choose a base model"
    ):
        Bases(CHECKPOINTS).of(lora(architecture=architecture, hint="X"))


@pytest.mark.parametrize(
    ("name", "steps", "guidance", "sampler"),
    [
        ("Hyper-SDXL-8steps-lora.safetensors", 8, 1.0, "ddim_trailing"),
        ("Hyper-SDXL-8steps-CFG-lora.safetensors", 8, 5.0, "ddim_trailing"),
        ("sdxl_lightning_4step_lora.safetensors", 4, 1.0, "euler_trailing"),
        ("lcm-lora-sdxl/pytorch_lora_weights.safetensors", 6, 1.0, "lcm"),
        ("LCM_LoRA_SDXL.safetensors", 6, 1.0, "lcm"),
        ("dmd2_sdxl_4step_lora.safetensors", 4, 1.0, "lcm"),
        ("TCD-SDXL-LoRA.safetensors", 6, 1.0, "tcd"),
        ("sd_xl_turbo_lora_v1.safetensors", 4, 1.0, "euler_trailing"),
    ],
)
def test_few_step_networks_come_with_their_recipe(name: str, steps: int, guidance: float, sampler: str) -> None:
    found = Accelerators([lora("style.safetensors"), lora(name)]).of("sdxl", RECIPES["sdxl"])
    assert found is not None and is_accelerator(found.lora)
    assert (found.recipe.steps, found.recipe.guidance, found.recipe.sampler) == (steps, guidance, sampler)
    assert found.recipe.size == RECIPES["sdxl"].size
    assert Accelerators([lora(name)]).of("sd15", RECIPES["sd15"]) is None


@pytest.mark.parametrize(
    "name",
    [
        *("lightning_bolts", "hyperrealism-v2", "turbocharged_cars", "falcmore", "steampunk_4step"),
        *("greenlightning_4step", "filmlcm-lora", "hyper-detail_8steps", "xhyper-sdxl-8steps"),
    ],
)
def test_a_style_is_no_few_step_network(name: str) -> None:
    assert not is_accelerator(lora(f"{name}.safetensors"))


def test_more_steps_are_preferred_within_a_family() -> None:
    two, eight = lora("sdxl_lightning_2step_lora.safetensors"), lora("sdxl_lightning_8step_lora.safetensors")
    for known in ([two, eight], [eight, two]):
        found = Accelerators(known).of("sdxl", RECIPES["sdxl"])
        assert found is not None and found.lora is eight


def test_a_few_step_lora_with_another_file_name_is_known_by_its_title() -> None:
    renamed = replace(lora("fast.safetensors"), title="SDXL-Lightning 4-step LoRA")
    assert is_accelerator(renamed)
    assert not is_accelerator(replace(renamed, title="Ink, also for SDXL-Lightning 4-step"))


@pytest.mark.parametrize(
    ("name", "architecture", "steps", "sampler"),
    [
        ("dreamshaperXL_lightningDPMSDE", "sdxl", 6, "euler_trailing"),
        ("juggernautXL_v9Rdphoto2Lightning", "sdxl", 6, "euler_trailing"),
        ("DreamShaperXL_Turbo_v2", "sdxl", 6, "euler_trailing"),
        ("sd_xl_turbo_1.0_fp16", "sdxl", 6, "euler_trailing"),
        ("sd_turbo", "sd2", 6, "euler_trailing"),
        ("realisticVisionV60B1_v51HyperVAE", "sd15", 6, "euler_trailing"),
        ("Hyper-SDXL-1step-Unet", "sdxl", 6, "euler_trailing"),
        ("dreamshaper_8LCM", "sd15", 6, "lcm"),
        ("LCM_Dreamshaper_v7", "sd15", 6, "lcm"),
        ("bigLust_dmd2", "sdxl", 6, "lcm"),
    ],
)
def test_a_distilled_checkpoint_is_asked_in_few_steps(name: str, architecture: str, steps: int, sampler: str) -> None:
    found = distilled_recipe(model(f"{name}.safetensors", architecture), RECIPES[architecture])
    assert found is not None and (found.steps, found.guidance, found.sampler) == (steps, 1.0, sampler)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("SD1.5_HyperRealism_v3", "sd15"),
        ("hyper realism", "sdxl"),
        ("Hyperdrive_XL", "sdxl"),
        ("turbovisionXL", "sdxl"),
        ("turbocharged", "sdxl"),
        ("falcmix", "sd15"),
        ("thunder_lightning", "sd15"),  # nothing of that name was published for it
        ("turbo_cars", "sd15"),
        ("dmd3", "sdxl"),
    ],
)
def test_a_name_that_only_begins_like_one_is_no_distilled_model(name: str, architecture: str) -> None:
    assert distilled_recipe(model(f"{name}.safetensors", architecture), RECIPES[architecture]) is None


@pytest.mark.parametrize(
    ("hint", "distilled"),
    [
        ("SDXL Hyper", True),
        ("SD 1.5 LCM", True),
        ("SDXL Lightning", True),
        ("stable-diffusion-xl-turbo-v1", True),
        ("SDXL 1.0", False),
        ("SD_HyperRealism.safetensors", False),
        ("Illustrious", False),
    ],
)
def test_what_the_header_or_a_hub_says_counts(hint: str, distilled: bool) -> None:
    found = distilled_recipe(model("renamed.safetensors", "sdxl", hint=hint), RECIPES["sdxl"])
    assert (found is not None) is distilled


def test_a_base_with_a_hyper_name_is_not_passed_over_as_distilled() -> None:
    known = [model("zzz.safetensors", "sd15"), model("HyperRealism.safetensors", "sd15")]
    assert Bases(known).of(lora(architecture="sd15")) is known[1]


def test_looking_up_a_base_reads_no_list_of_models_again() -> None:
    read: list[str] = []

    def models() -> Iterator[ModelFile]:
        for each in CHECKPOINTS:
            read.append(each.path.name)
            yield each

    bases = Bases(models())
    for hint in (None, "Pony", "Pony", "SDXL 1.0"):
        bases.of(lora(hint=hint))
    assert len(read) == len(CHECKPOINTS)


def test_the_user_overrides_the_table() -> None:
    chosen = recipe_for("sdxl", GeneratorSettings(size=512, steps=7, guidance=0.0))
    assert (chosen.size, chosen.steps, chosen.guidance) == (512, 7, 0.0)
    with pytest.raises(ValueError, match="multiple of 64, not 100"):
        GeneratorSettings(size=100)


def test_what_makes_no_picture_from_text_says_why() -> None:
    with pytest.raises(ModelSearchError, match="refines pictures of another model"):
        recipe_for("sdxl_refiner", GeneratorSettings())
