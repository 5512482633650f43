"""Models and LoRA of the newer families that were distilled, told by their names, headers and widths."""

from __future__ import annotations

import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from modelsearch_core.families import FAMILIES, No, Recipe, known
from modelsearch_core.families.costs import pictures_of_sd15
from modelsearch_core.generators import GeneratorSettings
from modelsearch_core.generators.accelerators import Accelerators, is_accelerator, is_distilled
from modelsearch_core.generators.planning import recipe_of
from modelsearch_core.model_files import Kind, ModelFile
from tests.making.fakes import model_file

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def model(name: str, architecture: str, kind: Kind = Kind.DIFFUSION_MODEL, **others: object) -> ModelFile:
    return model_file(name, kind=kind, architecture=architecture, **others)


def asked(checkpoint: ModelFile, *loras: ModelFile) -> Recipe:
    return recipe_of(checkpoint, checkpoint, Accelerators(loras), GeneratorSettings())[0]


@pytest.mark.parametrize(
    ("name", "architecture", "variant", "steps", "guidance", "embeds"),
    [
        ("flux1-schnell-fp8", "flux", "12b", 4, 1.0, False),
        ("flux1-dev", "flux", "12b", 20, 3.5, True),
        ("flux-2-klein-4b-fp8", "flux2", "klein-4b", 4, 1.0, False),
        ("renamed", "flux2", "klein-9b", 4, 1.0, False),
        ("flux-2-klein-base-9b", "flux2", "klein-9b", 20, 5.0, False),
        ("flux2_dev_fp8mixed", "flux2", "dev", 20, 4.0, True),
        ("z_image_turbo_bf16", "z_image", "6b", 8, 1.0, False),
        ("z_image_bf16", "z_image", "6b", 25, 4.0, False),
        ("krea2_turbo_int8_convrot", "krea2", "12b", 8, 1.0, False),
        ("sd3.5_large_turbo", "sd3", "large", 4, 1.0, False),
        ("hidream_i1_fast_fp8", "hidream", "17b", 16, 1.0, False),
        ("wan2.1_t2v_1.3B_fp16", "wan", "1.3b", 20, 5.0, False),
        ("FastWan2.2-TI2V-5B", "wan", "5b", 4, 1.0, False),
        ("ltxv-13b-0.9.8-distilled-fp8", "ltxv", "13b", 8, 1.0, False),
        ("ernie-image-turbo", "ernie_image", "8b", 8, 1.0, False),
        ("chroma-radiance-x0", "chroma_radiance", "9b", 26, 3.5, False),
    ],
)
def test_a_released_model_is_asked_as_its_makers_say(
    name: str, architecture: str, variant: str, steps: int, guidance: float, embeds: bool
) -> None:
    found = asked(model(name, architecture, variant=variant))
    assert (found.steps, found.guidance, found.embeds_guidance) == (steps, guidance, embeds)


def test_what_a_hub_says_counts_where_the_name_says_nothing() -> None:
    assert asked(model("style", "z_image", base_hint="ZImageTurbo")).steps == 8
    assert asked(model("style", "flux", base_hint="Flux.1 S")).steps == 4
    assert asked(model("style", "flux", base_hint="Flux.1 D")).steps == 20


def test_a_dev_model_of_hidream_leans_to_noise() -> None:
    found = asked(model("hidream_i1_dev_fp8", "hidream", variant="17b"))
    assert (found.steps, found.shift, found.sampler) == (28, 6.0, "lcm")


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("turbocharged", "z_image"), ("devil", "hidream"), ("kleinbottle dev", "flux"), ("lightning bolts", "flux")],
)
def test_other_words_distil_nothing(name: str, architecture: str) -> None:
    assert not is_distilled(model(name, architecture))


@pytest.mark.parametrize(
    ("name", "architecture", "variant", "steps"),
    [
        ("Qwen-Image-Lightning-8steps-V1.0", "qwen_image", "20b", 8),
        ("FLUX.1-Turbo-Alpha", "flux", "12b", 8),
        ("anima-turbo-lora-v0.2", "anima", "2b", 8),
        ("Wan21_T2V_14B_lightx2v_cfg_step_distill_lora_rank32", "wan", "14b", 4),
    ],
)
def test_a_few_step_lora_that_is_there_is_used(name: str, architecture: str, variant: str, steps: int) -> None:
    lora = model(name, architecture, Kind.LORA, variant=variant)
    base = model("base", architecture, variant=variant)
    assert is_accelerator(lora)
    assert asked(base, lora).steps == steps
    assert asked(base).steps > steps


def test_a_few_step_lora_of_another_width_is_not() -> None:
    lora = model("Wan21_T2V_14B_lightx2v_lora", "wan", Kind.LORA, variant="14b")
    assert asked(model("base", "wan", variant="1.3b"), lora).steps == 20


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise", "wan"),  # half of what makes a picture
        ("lightning style", "qwen_image"),
        ("turbo lora", "flux"),
    ],
)
def test_other_lora_are_styles(name: str, architecture: str) -> None:
    assert not is_accelerator(model(name, architecture, Kind.LORA))


@every_family
def test_patterns_compile_and_variants_are_there(family: object) -> None:
    assert hasattr(family, "few_steps")
    for few in known(family.few_steps):  # pyright: ignore[reportAttributeAccessIssue]
        re.compile(few.pattern)
        assert set(few.variants) <= {each.name for each in known(family.variants)}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_shift_is_asked_of_no_family_that_diffusers_loads() -> None:
    """Only ComfyUI's engine moves the steps."""
    for family in FAMILIES.values():
        if not isinstance(family.pipeline, No):
            recipes = [each for each in (family.recipe, *known(family.few_steps)) if not isinstance(each, No)]
            assert [each.shift for each in recipes] == [None] * len(recipes), family.name


def test_the_network_of_sd15_is_as_much_work_as_its_record_says() -> None:
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8
        )
        with FlopCounterMode(display=False) as counted:
            unet(torch.empty(1, 4, 64, 64), torch.empty(()), torch.empty(1, 77, 768))
    work = FAMILIES["sd15"].work
    assert not isinstance(work, No)
    assert work.teraflops(512) == pytest.approx(counted.get_total_flops() / 1e12, rel=0.01)


def test_the_network_of_flux_is_as_much_work_as_its_record_says_but_for_attention() -> None:
    from diffusers import FluxTransformer2DModel

    tokens, text = (768 // 16) ** 2, 512
    with torch.device("meta"):
        transformer = FluxTransformer2DModel(guidance_embeds=True)
        given = {
            "hidden_states": torch.empty(1, tokens, 64),
            "encoder_hidden_states": torch.empty(1, text, 4096),
            "pooled_projections": torch.empty(1, 768),
            "timestep": torch.empty(1),
            "img_ids": torch.empty(tokens, 3),
            "txt_ids": torch.empty(text, 3),
            "guidance": torch.empty(1),
        }
        with FlopCounterMode(display=False) as counted:
            transformer(**given)
    attention = 57 * 4 * (tokens + text) ** 2 * 3072
    work = FAMILIES["flux"].work
    assert not isinstance(work, No)
    assert work.teraflops(768) == pytest.approx((counted.get_total_flops() - attention) / 1e12, rel=0.02)


def test_a_picture_is_told_in_pictures_of_sd15() -> None:
    recipes = {name: asked(model("base", name, Kind.CHECKPOINT)) for name in ("sd15", "sdxl", "flux")}
    told = {name: pictures_of_sd15(name, None, recipe) for name, recipe in recipes.items()}
    assert told["sd15"] == pytest.approx(1.0)
    assert told["sdxl"] == pytest.approx(4.55, abs=0.05)
    assert told["flux"] == pytest.approx(28.5, abs=0.5)
    assert pictures_of_sd15("unknown", None, recipes["flux"]) is None
