from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import Kind, read_model_file
from modelsearch_core.model_files.architecture import recognise
from tests.making.model_files import kohya_lora, peft_lora, write_safetensors

Shapes = dict[str, tuple[int, ...]]
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
SGM = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
DIFFUSERS = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def factors(width: int) -> dict[str, Shapes]:
    """One adapted cross-attention key of a context `width` wide, in every way of writing."""
    return {
        "kohya": {f"{KOHYA}.lora_down.weight": (4, width), f"{KOHYA}.lora_up.weight": (320, 4), f"{KOHYA}.alpha": ()},
        "sgm": {f"{SGM}.lora_down.weight": (4, width), f"{SGM}.lora_up.weight": (320, 4)},
        "peft": {f"{DIFFUSERS}.lora_A.weight": (4, width), f"{DIFFUSERS}.lora_B.weight": (320, 4)},
        "peft adapter": {f"base_model.model.{DIFFUSERS}.lora_A.default.weight": (4, width)},
        "diffusers 0.17": {f"{DIFFUSERS}.lora.down.weight": (4, width)},
        "diffusers 0.15": {f"{DIFFUSERS.replace('.to_k', '.processor')}.to_k_lora.down.weight": (4, width)},
        "linear layer": {f"{DIFFUSERS}.lora_linear_layer.down.weight": (4, width)},
        "dora": {f"{KOHYA}.lora_down.weight": (4, width), f"{KOHYA}.dora_scale": (320, 1)},
        "peft dora": {f"{DIFFUSERS}.lora_A.weight": (4, width), f"{DIFFUSERS}.lora_magnitude_vector": (320,)},
        "loha": {f"{KOHYA}.hada_w1_a": (320, 4), f"{KOHYA}.hada_w1_b": (4, width), f"{KOHYA}.hada_w2_b": (4, width)},
        "lokr": {f"{KOHYA}.lokr_w1": (8, 8), f"{KOHYA}.lokr_w2_a": (40, 4), f"{KOHYA}.lokr_w2_b": (4, width // 8)},
        "lokr factored": {
            **{f"{KOHYA}.lokr_w1_a": (8, 2), f"{KOHYA}.lokr_w1_b": (2, 8)},
            **{f"{KOHYA}.lokr_w2": (40, width // 8)},
        },
        "glora": {f"{KOHYA}.a1.weight": (4, width), f"{KOHYA}.b1.weight": (4, width)},
        "full": {f"{KOHYA}.diff": (320, width)},
    }


WRITTEN = {"loha": "loha", "lokr": "lokr", "lokr factored": "lokr", "glora": "glora", "full": "full"}


@pytest.mark.parametrize("way", factors(768))
@pytest.mark.parametrize(("width", "architecture"), [(768, "sd15"), (1024, "sd2"), (2048, "sdxl"), (64, "sd_mini")])
def test_every_way_of_writing_tells_the_stable_diffusion(way: str, width: int, architecture: str) -> None:
    found = recognise(factors(width)[way])
    network = "dora" if "dora" in way else WRITTEN.get(way, "lora")
    assert (found.kind, found.architecture, found.network) == (Kind.LORA, architecture, network)


def test_convolutions_make_it_a_locon() -> None:
    convolution = {"lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight": (4, 320, 3, 3)}
    pointwise = {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (4, 320, 1, 1)}
    assert recognise({**kohya_lora(), **convolution}).network == "locon"
    assert recognise({**kohya_lora(), **pointwise}).network == "lora"


@pytest.mark.parametrize(
    ("name", "network"),
    [(".oft_blocks", "oft"), (".oft_diag", "oft"), (".oft_R.weight", "oft"), (".on_input", "ia3")],
)
def test_networks_without_widths_are_lora_of_an_unknown_model(name: str, network: str) -> None:
    found = recognise({KOHYA + name: (4,), KOHYA + ".weight": (320,)})
    assert (found.network, found.architecture) == (network, "unknown")


def pair(module: str, into: int, out: int | None = None) -> Shapes:
    return {f"{module}.lora_down.weight": (4, into), f"{module}.lora_up.weight": (out or into, 4)}


def peft(module: str, into: int, out: int | None = None) -> Shapes:
    return {f"{module}.lora_A.weight": (4, into), f"{module}.lora_B.weight": (out or into, 4)}


@pytest.mark.parametrize(
    ("shapes", "architecture"),
    [
        (pair("lora_unet_double_blocks_0_img_attn_proj", 3072), "flux"),
        (pair("lora_unet_single_blocks_3_linear1", 3072, 21504), "flux"),
        (pair("lora_unet_single_blocks_3_linear1", 3072, 27648), "flux2"),
        (pair("lora_unet_double_blocks_0_img_attn_qkv", 6144, 18432), "flux2"),
        (peft("diffusion_model.single_transformer_blocks.0.attn.to_qkv_mlp_proj", 3072, 27648), "flux2"),
        (peft("transformer.single_transformer_blocks.0.attn.to_q", 3072), "flux"),
        (peft("transformer.transformer_blocks.18.attn.to_q", 3072), "flux"),
        (peft("transformer.transformer_blocks.59.attn.to_q", 3072), "qwen_image"),
        (pair("lora_unet_transformer_blocks_3_img_mlp_net_0_proj", 3072, 12288), "qwen_image"),
        ({"double_blocks.0.processor.qkv_lora1.down.weight": (16, 3072)}, "flux"),
        (pair("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536, 4608), "sd3"),
        (peft("transformer.transformer_blocks.0.attn.to_q", 1536), "sd3"),
        (peft("transformer.transformer_blocks.0.attn.to_q", 2432), "sd3"),
        (peft("diffusion_model.blocks.0.self_attn.q", 5120), "wan"),
        (pair("lora_unet_blocks_0_cross_attn_k", 5120), "wan"),
        (peft("diffusion_model.blocks.0.self_attn.q_proj", 2048), "anima"),
        (peft("diffusion_model.blocks.0.self_attn.q_proj", 5120), "cosmos"),
        (peft("diffusion_model.layers.0.attention.to_q", 3840), "z_image"),
        (peft("base_model.model.layers.0.attention.to_q", 3840), "z_image"),
        (pair("lora_unet_layers_0_attention_qkv", 2304, 3840), "lumina2"),
        (peft("diffusion_model.double_blocks.0.img_mlp.fc1", 3072, 12288), "hunyuan_video"),
        (peft("diffusion_model.double_stream_blocks.0.block.attn1.to_q", 2560), "hidream"),
        (peft("transformer.transformer_blocks.0.attn1.to_q", 1152), "pixart"),
        (peft("diffusion_model.transformer_blocks.0.attn1.to_q", 2048), "ltxv"),
        (peft("diffusion_model.distilled_guidance_layer.layers.0.in_layer", 5120), "chroma"),
        (peft("transformer.joint_transformer_blocks.0.attn.to_q", 3072), "auraflow"),
        (pair("lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q", 640), "sdxl"),
        (pair("lora_unet_mid_block_attentions_0_transformer_blocks_9_ff_net_2", 5120), "sdxl"),
        (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 768), "sd15"),
        (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 1024), "sd2"),
        (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 64), "sd_mini"),
        (pair("lora_te2_text_model_encoder_layers_0_self_attn_q_proj", 1280), "sdxl"),
        (peft("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", 768), "sd15"),
        (pair("lora_te1_text_model_encoder_layers_0_self_attn_q_proj", 768), "unknown"),
        (peft("transformer.entirely.new", 100), "unknown"),
    ],
)
def test_names_and_widths_tell_what_a_lora_is_for(shapes: Shapes, architecture: str) -> None:
    assert recognise(shapes).architecture == architecture


@pytest.mark.parametrize(("context", "architecture"), [(768, "sd15"), (1024, "sd2"), (2048, "sdxl"), (320, "unknown")])
def test_layers_with_numbers_tell_the_stable_diffusion_by_the_width_of_its_text(
    context: int, architecture: str
) -> None:
    widths = [(320, 320), (320, context), (640, 640), (1280, 1280)]
    shapes: Shapes = {}
    for number, (out, into) in enumerate(widths):
        shapes |= {f"unet:{number}:up": (out, 4), f"unet:{number}:down": (4, into)}
    found = recognise(shapes)
    assert (found.kind, found.network, found.architecture) == (Kind.LORA, "lora", architecture)


def test_norms_alone_are_a_network(tmp_path: Path) -> None:
    norm = "lora_unet_down_blocks_2_attentions_0_transformer_blocks_9_norm1"
    found = recognise({f"{norm}.w_norm": (1280,), f"{norm}.b_norm": (1280,)})
    assert (found.kind, found.network, found.architecture) == (Kind.LORA, "full", "sdxl")


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        (pair("lora_te1_text_model_encoder_layers_0_self_attn_q_proj", 768), "text encoders alone"),
        (pair("lora_unet_down_blocks_0_resnets_0_conv1", 320), "no layer that tells which Stable Diffusion"),
        (peft("transformer.entirely.new", 100), "no model that is known"),
        (peft("transformer.transformer_blocks.0.attn.to_q", 2560), "2560 wide"),
    ],
)
def test_what_is_unknown_says_why(shapes: Shapes, why: str) -> None:
    found = recognise(shapes)
    assert found.architecture == "unknown" and why in found.why


def test_a_lora_of_a_language_model_is_left_out() -> None:
    with pytest.raises(UnreadableModelError, match="language model"):
        recognise(peft("base_model.model.model.layers.0.self_attn.q_proj", 4096))


@pytest.mark.parametrize(
    ("key", "value", "architecture"),
    [
        ("modelspec.architecture", "stable-diffusion-v1/lora", "sd15"),
        ("modelspec.architecture", "stable-diffusion-xl-v1-base/lora", "sdxl"),
        ("ss_base_model_version", "sdxl_base_v1-0", "sdxl"),
        ("ss_base_model_version", "something else", "unknown"),
    ],
)
def test_metadata_decide_what_names_leave_open(tmp_path: Path, key: str, value: str, architecture: str) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", {f"{KOHYA}.oft_blocks": (4, 4)}, {key: value})
    assert read_model_file(path).architecture == architecture


def test_metadata_never_overrule_shapes_except_for_chroma(tmp_path: Path) -> None:
    sdxl = {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}
    assert read_model_file(write_safetensors(tmp_path / "a.safetensors", peft_lora(768), sdxl)).architecture == "sd15"
    flux = pair("lora_unet_double_blocks_0_img_attn_proj", 3072)
    chroma = {"modelspec.architecture": "chroma/lora"}
    assert read_model_file(write_safetensors(tmp_path / "b.safetensors", flux, chroma)).architecture == "chroma"
    assert read_model_file(write_safetensors(tmp_path / "c.safetensors", flux)).architecture == "flux"


@pytest.mark.parametrize(("said", "architecture"), [("Chroma", "chroma"), ("Flux.1 D", "flux"), ("SDXL 1.0", "flux")])
def test_a_hubs_word_decides_between_twins(tmp_path: Path, said: str, architecture: str) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", pair("lora_unet_double_blocks_0_img_attn_proj", 3072))
    path.with_suffix(".civitai.info").write_text(json.dumps({"baseModel": said}))
    assert read_model_file(path).architecture == architecture


def test_a_language_model_that_is_adapted_along_is_a_text_encoder() -> None:
    """ComfyUI's own names for both parts of a Z-Image LoRA."""
    shapes = {
        **peft("diffusion_model.layers.0.attention.qkv", 3840, 11520),
        **peft("text_encoders.qwen3_4b.transformer.model.layers.0.self_attn.q_proj", 2560, 4096),
    }
    assert recognise(shapes).architecture == "z_image"
    alone = recognise(peft("text_encoders.qwen3_4b.transformer.model.layers.0.self_attn.q_proj", 2560, 4096))
    assert (alone.architecture, alone.why) == (
        "unknown",
        "it adapts text encoders alone, which several families have",
    )


@pytest.mark.parametrize(
    ("shapes", "architecture"),
    [
        (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 768), "sd15"),
        (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 1024), "sd2"),
        (peft("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", 768), "sd15"),
        (pair("lora_te1_text_model_encoder_layers_0_self_attn_q_proj", 768), "unknown"),
        (pair("lora_te2_text_model_encoder_layers_0_self_attn_q_proj", 1280), "sdxl"),
        (pair("lora_te3_encoder_block_0_layer_0_SelfAttention_q", 4096), "unknown"),
        (peft("transformer.layers.0.self_attn.q_proj", 2048), "unknown"),  # ACE-Step, which makes music
    ],
)
def test_text_encoders_alone_tell_a_family_where_they_are_its_own(shapes: Shapes, architecture: str) -> None:
    assert recognise(shapes).architecture == architecture


def test_cascades_layers_are_told_though_they_are_in_down_blocks() -> None:
    shapes = peft("diffusion_model.down_blocks.0.2.attention.attn.out_proj", 2048)
    assert recognise(shapes).architecture == "stable_cascade"


def test_a_lora_of_a_model_of_sound_is_called_so() -> None:
    shapes = {
        **peft("base_model.model.layers.0.self_attn.q_proj", 2048),
        **peft("base_model.model.layers.0.cross_attn.q_proj", 2048),
    }
    with pytest.raises(UnreadableModelError, match="a LoRA of a model of sound, which generates no images"):
        recognise(shapes)


@pytest.mark.parametrize(
    ("shapes", "architecture"),
    [
        (peft("conditional_transformer.layers.0.attention.o", 4608), "ideogram4"),
        (pair("lora_unet_blocks_0_attn_qkv_proj", 5120, 15360), "minimax_h3"),
        (peft("transformer_2.blocks.0.attn1.to_q", 5120), "wan"),
        (peft("pipe.dit.blocks.0.self_attn.q", 5120), "wan"),
    ],
)
def test_trainers_prefixes_are_no_part_of_a_layers_name(shapes: Shapes, architecture: str) -> None:
    assert recognise(shapes).architecture == architecture


def test_a_variant_that_has_fewer_blocks_is_no_twin() -> None:
    """FLUX of 8 billion weights has 8 of the one and 38 of the other."""
    few = {
        **pair("lora_unet_double_blocks_7_img_attn_proj", 3072),
        **pair("lora_unet_single_blocks_37_linear2", 15360, 3072),
    }
    assert (recognise(few).architecture, recognise(few).variant) == ("flux", "8b")
    for number in (8, 18):
        found = recognise(peft(f"transformer.transformer_blocks.{number}.attn.to_q", 3072))
        assert ("flux", "12b") in found.twins and ("flux", "8b") not in found.twins


def test_a_lora_of_layers_between_frames_is_of_stable_video_diffusion() -> None:
    shapes = {
        **peft("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", 1024, 320),
        **peft("unet.down_blocks.0.attentions.0.temporal_transformer_blocks.0.attn1.to_q", 320),
    }
    assert recognise(shapes).architecture == "svd"


@pytest.mark.parametrize(
    ("layer", "shape", "architecture"),
    [
        ("lora_unet_down_blocks_0_attentions_0_proj_in", (4, 320, 1, 1), "sd15"),
        ("lora_unet_mid_block_attentions_0_proj_in", (4, 1280, 1, 1), "sd15"),
        ("lora_unet_down_blocks_0_attentions_0_proj_in", (4, 320), "sd2"),
        ("lora_unet_down_blocks_1_attentions_0_proj_in", (4, 640), "unknown"),  # 2 or XL
        ("lora_unet_down_blocks_0_resnets_0_conv1", (4, 320, 3, 3), "unknown"),
    ],
)
def test_what_leads_into_attention_tells_where_no_text_is_attended_to(
    layer: str, shape: tuple[int, ...], architecture: str
) -> None:
    shapes = {f"{layer}.lora_down.weight": shape, f"{layer}.lora_up.weight": (shape[1], 4, *shape[2:])}
    assert recognise(shapes).architecture == architecture
