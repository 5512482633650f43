"""LoRA of every family, with the names, widths and numbers of layers that diffusers' own classes have."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import diffusers
import pytest
import torch

from modelsearch_core.model_files.architecture import recognise

Shapes = dict[str, tuple[int, ...]]
RELEASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {  # class, family, variant, what differs from its defaults
    "sd3 medium": ("SD3Transformer2DModel", "sd3", "medium", {"num_layers": 24, "num_attention_heads": 24}),
    "sd3.5 large": ("SD3Transformer2DModel", "sd3", "large", {"num_layers": 38, "num_attention_heads": 38}),
    "flux": ("FluxTransformer2DModel", "flux", "12b", {}),
    "flux2 dev": ("Flux2Transformer2DModel", "flux2", "dev", {}),
    "flux2 klein 4b": (
        *("Flux2Transformer2DModel", "flux2", "klein-4b"),
        {"num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24},
    ),
    "flux2 klein 9b": (
        *("Flux2Transformer2DModel", "flux2", "klein-9b"),
        {"num_layers": 8, "num_single_layers": 24, "num_attention_heads": 32},
    ),
    "longcat": ("LongCatImageTransformer2DModel", "longcat_image", "6b", {"num_layers": 10, "num_single_layers": 20}),
    "ovis": ("OvisImageTransformer2DModel", "ovis_image", "7b", {}),
    "fibo": (
        *("BriaFiboTransformer2DModel", "bria", "fibo"),
        {"num_layers": 8, "num_single_layers": 38, "num_attention_heads": 24},
    ),
    "auraflow": ("AuraFlowTransformer2DModel", "auraflow", "7b", {}),
    "hunyuan video": ("HunyuanVideoTransformer3DModel", "hunyuan_video", "13b", {}),
    "hunyuan video 1.5": ("HunyuanVideo15Transformer3DModel", "hunyuan_video_15", "8b", {}),
    "hunyuan image": ("HunyuanImageTransformer2DModel", "hunyuan_image", "17b", {}),
    "wan 1.3b": (
        "WanTransformer3DModel",
        "wan",
        "1.3b",
        {"num_layers": 30, "num_attention_heads": 12, "ffn_dim": 8960},
    ),
    "wan 5b": ("WanTransformer3DModel", "wan", "5b", {"num_layers": 30, "num_attention_heads": 24, "ffn_dim": 14336}),
    "wan 14b": ("WanTransformer3DModel", "wan", "14b", {}),
    "ltxv 2b": ("LTXVideoTransformer3DModel", "ltxv", "2b", {}),
    "ltx2": ("LTX2VideoTransformer3DModel", "ltx2", "19b", {}),
    "cogvideox 2b": ("CogVideoXTransformer3DModel", "cogvideox", "2b", {}),
    "cogvideox 5b": ("CogVideoXTransformer3DModel", "cogvideox", "5b", {"num_layers": 42, "num_attention_heads": 48}),
    "mochi": ("MochiTransformer3DModel", "mochi", "10b", {}),
    "cogview4": (
        *("CogView4Transformer2DModel", "cogview4", "6b"),
        {"num_layers": 28, "num_attention_heads": 32, "attention_head_dim": 128},
    ),
    "glm image": (
        *("GlmImageTransformer2DModel", "glm_image", "7b"),
        {"num_layers": 30, "num_attention_heads": 32, "attention_head_dim": 128},
    ),
    "qwen image": ("QwenImageTransformer2DModel", "qwen_image", "20b", {}),
    "z image": ("ZImageTransformer2DModel", "z_image", "6b", {}),
    "lumina 2": ("Lumina2Transformer2DModel", "lumina2", "2b", {}),
    "sana 1.6b": ("SanaTransformer2DModel", "sana", "1.6b", {}),
    "pixart": ("PixArtTransformer2DModel", "pixart", "xl2", {}),
    "krea 2": ("Krea2Transformer2DModel", "krea2", "12b", {}),
    "kandinsky 5 lite": ("Kandinsky5Transformer3DModel", "kandinsky5", "lite-video", {"model_dim": 1792}),
    "ernie": (
        *("ErnieImageTransformer2DModel", "ernie_image", "8b"),
        {"num_layers": 36, "hidden_size": 4096, "num_attention_heads": 32, "ffn_hidden_size": 12288},
    ),
    "ideogram 4": ("Ideogram4Transformer2DModel", "ideogram4", "9b", {}),
}
IN_A_BLOCK = re.compile(r"(^|\.)(\w*blocks|layers)\.\d+\.")


@lru_cache(maxsize=4)
def linear_layers(release: str) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of the linear layers in a model's blocks."""
    name, _, _, options = RELEASES[release]
    if not hasattr(diffusers, name):
        pytest.skip(f"this diffusers has no {name}")
    with torch.device("meta"):
        model = getattr(diffusers, name)(**options)
    return {
        path: (module.in_features, module.out_features)
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and IN_A_BLOCK.search(path)
    }


def peft(layers: dict[str, tuple[int, int]]) -> Shapes:
    found: Shapes = {}
    for path, (into, out) in layers.items():
        found |= {f"transformer.{path}.lora_A.weight": (4, into), f"transformer.{path}.lora_B.weight": (out, 4)}
    return found


def kohya(layers: dict[str, tuple[int, int]], prefix: str = "lora_unet_") -> Shapes:
    found: Shapes = {}
    for path, (into, out) in layers.items():
        name = prefix + path.replace(".", "_")
        found |= {f"{name}.alpha": (), f"{name}.lora_down.weight": (4, into), f"{name}.lora_up.weight": (out, 4)}
    return found


def lokr(layers: dict[str, tuple[int, int]]) -> Shapes:
    found: Shapes = {}
    for path, (into, out) in layers.items():
        name = f"lycoris_{path.replace('.', '_')}"
        found |= {f"{name}.lokr_w1": (8, 8), f"{name}.lokr_w2": (out // 8, into // 8)}
    return found


WRITERS = {
    "peft": peft,
    "kohya": kohya,
    "onetrainer": lambda layers: kohya(layers, "lora_transformer_"),
    "lokr": lokr,
}


@pytest.mark.parametrize("release", RELEASES)
def test_a_lora_of_all_layers_is_of_its_family_and_variant(release: str) -> None:
    _, family, variant, _ = RELEASES[release]
    for name, write in WRITERS.items():
        found = recognise(write(linear_layers(release)))
        assert (found.architecture, found.variant) == (family, variant), name


@pytest.mark.parametrize("release", RELEASES)
def test_a_lora_of_attention_alone_is_too(release: str) -> None:
    """What most trainers adapt: queries, keys and values, in all blocks."""
    _, family, variant, _ = RELEASES[release]
    attention = {path: widths for path, widths in linear_layers(release).items() if re.search("att", path)}
    found = recognise(peft(attention))
    assert (found.architecture, found.variant) == (family, variant)


@pytest.mark.parametrize("width", [640, 2560, 5000])
def test_layers_named_like_a_familys_but_of_other_widths_are_of_none_that_is_known(width: int) -> None:
    layers = {f"transformer_blocks.{n}.attn.to_{q}": (width, width) for n in range(4) for q in "qkv"}
    found = recognise(peft(layers))
    assert found.architecture == "unknown" and f"{width} wide" in found.why


def test_more_blocks_than_a_family_has_are_of_none_that_is_known() -> None:
    layers = {f"double_blocks.{n}.img_attn.qkv": (3072, 9216) for n in range(99)}
    found = recognise(peft(layers))
    assert (found.architecture, found.why) == (
        "unknown",
        "its layers are named like those of FLUX.1, but there are more of them",
    )
