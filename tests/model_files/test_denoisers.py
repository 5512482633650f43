"""Against real models: the names that diffusers' own classes have, and what diffusers itself makes of them."""

from __future__ import annotations

import inspect
import re
from typing import Any

import diffusers
import pytest
import torch
from diffusers.loaders.single_file_utils import CHECKPOINT_KEY_NAMES, infer_diffusers_model_type

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.families import ARCHITECTURES, FAMILIES, family_of_class, known
from modelsearch_core.model_files import Kind
from modelsearch_core.model_files.architecture import recognise
from modelsearch_core.model_files.denoisers import RELEASES
from tests.making.model_files import diffusers_unet, sd_checkpoint, sd_unet

CLASSES = {
    "SD3Transformer2DModel": "sd3",
    "FluxTransformer2DModel": "flux",
    "Flux2Transformer2DModel": "flux2",
    "Flux3Transformer2DModel": "flux3",
    "ChromaTransformer2DModel": "chroma",
    "PixArtTransformer2DModel": "pixart",
    "AuraFlowTransformer2DModel": "auraflow",
    "HunyuanDiT2DModel": "hunyuan_dit",
    "HunyuanVideoTransformer3DModel": "hunyuan_video",
    "Lumina2Transformer2DModel": "lumina2",
    "ZImageTransformer2DModel": "z_image",
    "QwenImageTransformer2DModel": "qwen_image",
    "SanaTransformer2DModel": "sana",
    "WanTransformer3DModel": "wan",
    "LTXVideoTransformer3DModel": "ltxv",
    "LTX2VideoTransformer3DModel": "ltx2",
    "CosmosTransformer3DModel": "cosmos",
    "MochiTransformer3DModel": "mochi",
    "HiDreamImageTransformer2DModel": "hidream",
    "Krea2Transformer2DModel": "krea2",
    "Kandinsky5Transformer3DModel": "kandinsky5",
    "CogView4Transformer2DModel": "cogview4",
    "CogVideoXTransformer3DModel": "cogvideox",
    "HunyuanVideo15Transformer3DModel": "hunyuan_video_15",
    "HunyuanImageTransformer2DModel": "hunyuan_image",
    "LongCatImageTransformer2DModel": "longcat_image",
    "OvisImageTransformer2DModel": "ovis_image",
    "BriaTransformer2DModel": "bria",
    "BriaFiboTransformer2DModel": "bria",
    "BriaFibo2Transformer2DModel": "bria_fibo_2",
    "MotifVideoTransformer3DModel": "motif_video",
    "GlmImageTransformer2DModel": "glm_image",
    "ErnieImageTransformer2DModel": "ernie_image",
    "Ideogram4Transformer2DModel": "ideogram4",
    "JoyImageEditTransformer3DModel": "joyimage",
    "QwenImage21Transformer2DModel": "qwen_image_21",
    "NucleusMoEImageTransformer2DModel": "nucleus_image",
    "PRXTransformer2DModel": "prx",
    "MiniMaxH3Transformer3DModel": "minimax_h3",
    "SanaVideoTransformer3DModel": "sana_video",
}
OTHERS = {"SanaWMTransformer3DModel", "SanaWMLTX2RefinerTransformer3DModel"}  # named like Sana, but world models
SMALLEST: dict[str, dict[str, Any]] = {
    "SD3Transformer2DModel": {"num_attention_heads": 24},
    "Kandinsky5Transformer3DModel": {"model_dim": 1792},
    "SkyReelsV2Transformer3DModel": {"num_attention_heads": 12},
    "WanVACETransformer3DModel": {"vace_layers": [0]},
    "CogView4Transformer2DModel": {"num_attention_heads": 32, "attention_head_dim": 128},
    "GlmImageTransformer2DModel": {"num_attention_heads": 32, "attention_head_dim": 128},
    "HunyuanDiT2DModel": {"in_channels": 4, "sample_size": 32, "patch_size": 2, "activation_fn": "gelu-approximate"},
    "HiDreamImageTransformer2DModel": {
        "patch_size": 2,
        "caption_channels": [8, 8],
        "llama_layers": [0, 1],
        "num_routed_experts": 2,
        "num_activated_experts": 1,
        "attention_head_dim": 128,
        "num_attention_heads": 20,
        "axes_dims_rope": (64, 32, 32),
    },
}
COUNTS = (
    *("num_layers", "num_single_layers", "n_layers", "num_refiner_layers"),
    *("num_mmdit_layers", "num_single_dit_layers", "num_text_blocks", "num_visual_blocks"),
)


def shapes_of(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a diffusers model with one layer of each sort."""
    build = getattr(diffusers, name)
    one = {each: 1 for each in COUNTS if each in inspect.signature(build.__init__).parameters}
    with torch.device("meta"):
        model = build(**one, **SMALLEST.get(name, {}))
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def classes_of_records() -> dict[str, str]:
    """Classes of this diffusers that a family's record names, with that family."""
    names = [name for name in dir(diffusers) if re.fullmatch(r"\w+(Transformer|DiT)[23]DModel", name)]
    found = {name: family_of_class(name) for name in names if name not in OTHERS}
    return {name: family.name for name, family in found.items() if family}


@pytest.mark.parametrize(("name", "architecture"), ({**classes_of_records(), **CLASSES}).items())
def test_diffusers_own_models_are_recognised(name: str, architecture: str) -> None:
    if not hasattr(diffusers, name):
        pytest.skip(f"this diffusers has no {name}")
    found = recognise(shapes_of(name))
    assert (found.kind, found.architecture) == (Kind.DIFFUSION_MODEL, architecture)


TYPES = {  # diffusers' name for a single file, and the shapes that it asks for besides the name
    "sd3": ("sd3", {"joint_blocks.0.context_block.adaLN_modulation.1.bias": (9216,), "pos_embed": (1, 36864, 1536)}),
    "flux": ("flux-schnell", {"img_in.weight": (3072, 64)}),
    "chroma": ("chroma", {}),
    "auraflow": ("auraflow", dict.fromkeys(CHECKPOINT_KEY_NAMES["auraflow"], (3072, 3072))),
    "hunyuan_video": ("hunyuan-video", {}),
    "wan": ("wan-t2v-1.3B", {"patch_embedding.weight": (1536, 16, 1, 2, 2)}),
    "ltxv": ("ltx-video", {}),
    "sana": ("sana", {}),
    "hidream": ("hidream", {}),
    "mochi": ("mochi-1-preview", {}),
}


def first_release(architecture: str) -> dict[str, tuple[int, ...]]:
    """The tensors that tell the family's first release, as wide as its first variant."""
    release = next(release for family, release in RELEASES if family.name == architecture)
    variants = known(FAMILIES[architecture].variants)
    width = variants[0].width if variants else 8
    wanted = [name.partition("=") for name in release.names if not name.startswith("!")]
    return {name: (8, int(inputs or width)) for name, _, inputs in wanted}


@pytest.mark.parametrize("architecture", TYPES)
def test_original_releases_are_what_diffusers_takes_them_for(architecture: str) -> None:
    expected, more = TYPES[architecture]
    keys = CHECKPOINT_KEY_NAMES[
        {"mochi": "mochi-1-preview", "ltxv": "ltx-video"}.get(architecture, architecture.replace("_", "-"))
    ]
    own = [keys] if isinstance(keys, str) else [key for key in keys if not key.startswith(("model.", "vae."))][:4]
    shapes = {**dict.fromkeys(own, (8, 8)), **first_release(architecture), **more}
    assert (
        infer_diffusers_model_type({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
        == expected
    )
    assert recognise(shapes).architecture == architecture


@pytest.mark.parametrize(
    ("context", "architecture"),
    [
        (64, "sd_mini"),
        (128, "sd_mini"),
        (768, "sd15"),
        (1024, "sd2"),
        (2048, "sdxl"),
        (1280, "sdxl_refiner"),
        (999, "unknown"),
    ],
)
def test_the_width_of_the_context_tells_the_stable_diffusion(context: int, architecture: str) -> None:
    found = [recognise(sd_checkpoint(context)), recognise(sd_unet(context)), recognise(diffusers_unet(context))]
    assert [each.architecture for each in found] == [architecture] * 3
    assert [each.kind for each in found] == [Kind.CHECKPOINT, Kind.DIFFUSION_MODEL, Kind.DIFFUSION_MODEL]


def test_full_sized_unets_of_diffusers_are_recognised() -> None:
    blocks = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    with torch.device("meta"):
        sd15 = diffusers.UNet2DConditionModel(cross_attention_dim=768, down_block_types=blocks)
    assert recognise({key: tuple(tensor.shape) for key, tensor in sd15.state_dict().items()}).architecture == "sd15"


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "diffusion_model.", "model.", "net.", "transformer.", ""])
@pytest.mark.parametrize("architecture", sorted({family.name for family, _ in RELEASES}))
def test_a_prefix_changes_nothing(architecture: str, prefix: str) -> None:
    shapes = {prefix + name: shape for name, shape in first_release(architecture).items()}
    assert recognise(shapes).architecture == architecture


def test_a_diffusion_model_without_vae_and_text_encoder_is_no_checkpoint() -> None:
    assert recognise(sd_unet(prefix="model.diffusion_model.")).kind is Kind.DIFFUSION_MODEL
    all_in_one = {"model.diffusion_model." + name: shape for name, shape in first_release("flux").items()}
    assert recognise(all_in_one).kind is Kind.DIFFUSION_MODEL
    assert recognise({**all_in_one, "text_encoders.t5xxl.x": (1,)}).kind is Kind.CHECKPOINT


def test_inpainting_is_the_same_architecture_and_an_upscaler_is_none() -> None:
    assert recognise(sd_unet(1024, inputs=9)).architecture == "sd2"
    with pytest.raises(UnreadableModelError, match="an upscaler"):
        recognise(sd_unet(1024, inputs=7))


def test_relatives_of_sdxl_are_told_apart() -> None:
    kolors = {**sd_unet(2048), "label_emb.0.0.weight": (1280, 5632)}
    video = {**sd_unet(1024), "input_blocks.1.1.time_stack.0.attn1.to_q.weight": (320, 320)}
    assert [recognise(kolors).architecture, recognise(video).architecture] == ["kolors", "svd"]


@pytest.mark.parametrize(("width", "architecture"), [(3840, "z_image"), (2304, "lumina2"), (100, "unknown")])
def test_lumina_and_z_image_differ_in_width(width: int, architecture: str) -> None:
    shapes = {"noise_refiner.0.attention.qkv.weight": (3 * width, width), "cap_embedder.1.weight": (width, 2560)}
    assert recognise(shapes).architecture == architecture


def test_a_model_in_the_original_layout_that_nobody_knows_is_unknown() -> None:
    found = recognise({"model.diffusion_model.something.new.weight": (8, 8)})
    assert (found.kind, found.architecture) == (Kind.DIFFUSION_MODEL, "unknown")


def test_architectures_are_listed_once() -> None:
    assert len(set(ARCHITECTURES)) == len(ARCHITECTURES)
    assert set(CLASSES.values()) <= set(ARCHITECTURES)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["control_model.zero_convs.0.0.weight", *sd_checkpoint()], "a ControlNet"),
        (["controlnet_cond_embedding.conv_in.weight", *diffusers_unet()], "a ControlNet"),
        (["controlnet_blocks.0.weight", "transformer_blocks.0.attn.to_q.weight"], "a ControlNet"),
        (["lora_controlnet", "input_blocks.0.0.up"], "a ControlNet"),
        (["image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"], "an IP-Adapter"),
        (["adapter.body.0.block1.weight", "adapter.conv_in.weight"], "a T2I-Adapter"),
        (["down_blocks.0.motion_modules.0.temporal_transformer.norm.weight"], "a motion module"),
        (["encoder.conv_in.weight", "decoder.conv_in.weight"], "a VAE"),
        (["first_stage_model.encoder.conv_in.weight"], "a VAE"),
        (["decoder.middle.0.residual.0.gamma", "conv1.weight"], "a VAE"),
        (["decoder.layers.1.conv.0.weight"], "a VAE"),
        (["vision_model.embeddings.class_embedding"], "a CLIP vision model"),
        (["text_model.embeddings.token_embedding.weight"], "a text encoder"),
        (["text_model.encoder.layers.0.self_attn.q_proj.weight"], "a text encoder"),
        (["transformer.resblocks.0.attn.in_proj_weight", "token_embedding.weight"], "a text encoder"),
        (["encoder.block.0.layer.0.SelfAttention.k.weight", "shared.weight"], "a text encoder"),
        (["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"], "a text encoder"),
        (["conv_first.weight", "body.0.rdb1.conv1.weight"], "an upscaler"),
        (["model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"], "an upscaler"),
        (["body.0.weight", "body.0.bias", "body.1.weight"], "an upscaler"),
        (["feats.0.weight", "feats.1.lk.conv.weight"], "an upscaler"),
        (["blocks.31.mlp.all.proj_in_gate.weight"], "an upscaler"),
        (["model.0.conv.weight", "model.22.dfl.conv.weight"], "a detector"),
        (["image_encoder.blocks.0.norm1.weight", "mask_decoder.iou_token.weight"], "a segmentation model"),
        (["image_encoder.trunk.blocks.0.norm1.weight"], "a segmentation model"),
        (["pretrained.blocks.0.attn.qkv.weight", "depth_head.projects.0.weight"], "a depth estimator"),
        (["stylegan_decoder.style_mlp.1.weight", "conv_body_first.weight"], "a face restorer"),
        (["pulid_ca.0.norm1.weight"], "an identity adapter"),
        (["redux_up.weight", "redux_down.weight"], "a style model"),
        (["ip_adapter_proj_model.norm.weight"], "an IP-Adapter"),
        (["control_blocks.0.after_proj.weight", "control_img_in.weight"], "a ControlNet"),
        (["0.to_q_lora.down.weight", "1.to_k_lora.up.weight"], "an identity adapter"),  # FaceID's LoRA
        (["vace_blocks.0.self_attn.q.weight", "vace_patch_embedding.weight"], "a part of Wan"),
        (["after_proj_list.0.weight", "blocks.0.attn1.Wqkv.weight"], "a ControlNet"),
        (["down_blocks.0.temporal_attentions.0.norm.weight"], "a motion module"),
        (["encoder.0.weight", "decoder.1.weight"], "a VAE"),  # TAEHV
        (["0.weight", "1.conv.0.weight"], "a VAE"),  # the encoder of TAESD
        (["visual.blocks.0.attn.qkv.weight", "model.embed_tokens.weight"], "a text encoder"),
        (["token_embd.weight", "blk.0.attn_q.weight"], "a text encoder"),
    ],
)
def test_what_generates_nothing_is_named(names: list[str], what: str) -> None:
    with pytest.raises(UnreadableModelError, match=f"^{what}, which generates nothing on its own$"):
        recognise(dict.fromkeys(names, (8, 8, 3, 3)))


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["model.diffusion_model.genre_embedder.weight", "vae.dcae.encoder.conv_in.weight"], "a model of sound"),
        (["model.model.transformer.rotary_pos_emb.inv_freq"], "a model of sound"),
        (["to_timestep_embed.0.weight", "postprocess_conv.weight"], "a model of sound"),
        (["latent_in.weight", "double_blocks.0.img_attn.qkv.weight"], "a model of 3D"),
    ],
)
def test_what_generates_no_pictures_is_named(names: list[str], what: str) -> None:
    with pytest.raises(UnreadableModelError, match=f"^{what}, which generates no images$"):
        recognise(dict.fromkeys(names, (8, 8, 3, 3)))


def test_a_small_text_encoder_is_no_embedding() -> None:
    with pytest.raises(UnreadableModelError, match=r"^a text encoder"):
        recognise({"shared.weight": (32128, 4096), "encoder.block.0.layer.0.SelfAttention.k.weight": (4096, 4096)})


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ({"down_blocks.0.temp_attentions.0.norm.weight": (320,)}, "a U-Net for video"),
        ({"input_blocks.1.2.transformer_blocks.0.attn1.to_q.weight": (320, 320)}, "a U-Net for video"),
        ({"down_blocks.0.motion_modules.0.norm.weight": (320,)}, "AnimateDiff"),
        ({"encoder_hid_proj.image_embeds.weight": (1280, 1280)}, "Kandinsky 2"),
        ({"down_blocks.1.attentions.0.add_k_proj.weight": (768, 4096)}, "DeepFloyd"),
        ({"label_emb.0.0.weight": (1280, 999)}, "labels 999 wide"),
    ],
)
def test_unets_of_other_kinds_are_of_none_that_is_known(shapes: dict[str, tuple[int, ...]], why: str) -> None:
    context = 2048 if "label_emb.0.0.weight" in shapes else 1024
    own = sd_unet(context) if any("input_blocks" in name or "label" in name for name in shapes) else None
    found = recognise({**(own or diffusers_unet(context)), **shapes})
    assert (found.kind, found.architecture) == (Kind.DIFFUSION_MODEL, "unknown")
    assert why in found.why


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "dit."])
def test_what_all_names_begin_with_is_no_part_of_them(prefix: str) -> None:
    shapes = {prefix + name: shape for name, shape in first_release("flux").items()}
    assert recognise(shapes).architecture == "flux"


@pytest.mark.parametrize(
    "shapes", [{"emb_params": (4, 768)}, {"clip_l": (2, 768), "clip_g": (2, 1280)}, {"string_to_param.*": (1, 1024)}]
)
def test_a_textual_inversion_is_named(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(UnreadableModelError, match="an embedding"):
        recognise(shapes)


def test_anything_else_is_refused_with_what_it_begins_with() -> None:
    with pytest.raises(UnreadableModelError, match=r"among its 1 tensors \(the first is 'fc.weight'\)"):
        recognise({"fc.weight": (1000, 512)})
    with pytest.raises(UnreadableModelError, match="no tensors"):
        recognise({})
