"""Which base a LoRA gets, and which few-step LoRA goes with it: by names, without a file being opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.errors import MissingBaseError, ModelSearchError
from modelsearch_core.generators.accelerators import accelerator_for, distilled_recipe, is_accelerator
from modelsearch_core.generators.bases import base_for
from modelsearch_core.generators.recipes import RECIPES, recipe_for
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import Kind, ModelFile


def model(name: str, architecture: str = "sdxl", kind: Kind = Kind.CHECKPOINT, hint: str | None = None) -> ModelFile:
    path = Path("/models") / name
    return ModelFile(path=path, kind=kind, architecture=architecture, fingerprint=name, size=0, modified=0,
                     title=path.stem, base_hint=hint)  # fmt: skip


def lora(name: str = "x.safetensors", architecture: str = "sdxl", hint: str | None = None) -> ModelFile:
    return model(name, architecture, Kind.LORA, hint)


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
    assert base_for(lora(hint=hint), CHECKPOINTS[::step]).path.stem == base


def test_an_original_comes_before_a_merge() -> None:
    assert base_for(lora(architecture="sd15"), CHECKPOINTS).path.stem == "v1-5-pruned-emaonly"


def test_the_chosen_base_wins_where_its_architecture_fits() -> None:
    chosen = model("mine.safetensors", "sd15")
    assert base_for(lora(architecture="sd15"), CHECKPOINTS, chosen) is chosen
    assert base_for(lora(architecture="unknown"), CHECKPOINTS, chosen) is chosen
    assert base_for(lora(), CHECKPOINTS, chosen).path.stem == "sd_xl_base_1.0"


@pytest.mark.parametrize("architecture", ["flux", "unknown"])
def test_without_a_base_the_error_names_what_is_there(architecture: str) -> None:
    with pytest.raises(
        MissingBaseError, match=rf"LoRA for {architecture} \(trained on X\).*: sd15, sdxl\..*--base CKPT"
    ):
        base_for(lora(architecture=architecture, hint="X"), CHECKPOINTS)


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
    found = accelerator_for("sdxl", [lora("style.safetensors"), lora(name)], RECIPES["sdxl"])
    assert found is not None and is_accelerator(found.lora)
    assert (found.recipe.steps, found.recipe.guidance, found.recipe.sampler) == (steps, guidance, sampler)
    assert found.recipe.size == RECIPES["sdxl"].size
    assert accelerator_for("sd15", [lora(name)], RECIPES["sd15"]) is None


@pytest.mark.parametrize(
    "name", ["lightning_bolts", "hyperrealism-v2", "turbocharged_cars", "falcmore", "steampunk_4step"]
)
def test_a_style_is_no_few_step_network(name: str) -> None:
    assert not is_accelerator(lora(f"{name}.safetensors"))


def test_more_steps_are_preferred_within_a_family() -> None:
    two, eight = lora("sdxl_lightning_2step_lora.safetensors"), lora("sdxl_lightning_8step_lora.safetensors")
    for known in ([two, eight], [eight, two]):
        found = accelerator_for("sdxl", known, RECIPES["sdxl"])
        assert found is not None and found.lora is eight


def test_a_distilled_checkpoint_is_asked_in_few_steps() -> None:
    found = distilled_recipe(CHECKPOINTS[2], RECIPES["sdxl"])
    assert found is not None and (found.steps, found.guidance) == (6, 1.0)
    assert distilled_recipe(CHECKPOINTS[1], RECIPES["sdxl"]) is None


def test_the_user_overrides_the_table() -> None:
    chosen = recipe_for("sdxl", GeneratorSettings(size=512, steps=7, guidance=0.0))
    assert (chosen.size, chosen.steps, chosen.guidance) == (512, 7, 0.0)
    with pytest.raises(ValueError, match="multiple of 64, not 100"):
        GeneratorSettings(size=100)


def test_what_makes_no_picture_from_text_says_why() -> None:
    with pytest.raises(ModelSearchError, match="refines pictures of another model"):
        recipe_for("sdxl_refiner", GeneratorSettings())
