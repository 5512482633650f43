"""Tiny model files in the layouts that users have: names and shapes as in real ones, no meaning in the weights."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

Shapes = Mapping[str, tuple[int, ...]]
BYTES = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1, "F8_E4M3": 1}


def write_safetensors(
    path: Path, shapes: Shapes, metadata: Mapping[str, object] | None = None, *, seed: int = 0, dtype: str = "F16"
) -> Path:
    """A valid safetensors file with random bytes for weights."""
    header = header_bytes(shapes, metadata, dtype)
    size = sum(BYTES[dtype] * math.prod(shape) for shape in shapes.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + np.random.default_rng(seed).bytes(size))
    return path


def write_sparse(
    path: Path,
    shapes: Shapes,
    metadata: Mapping[str, object] | None = None,
    *,
    dtype: str = "F16",
    padded: bool = False,
) -> Path:
    """A valid safetensors file of full size whose weights are zeros that take no room on most disks. `padded`: to a
    multiple of eight bytes, as the library does."""
    header = header_bytes(shapes, metadata, dtype)
    if padded:
        header = pack_header(header[8:] + b" " * (-len(header) % 8))
    size = sum(BYTES[dtype] * math.prod(shape) for shape in shapes.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    return path


def header_bytes(shapes: Shapes, metadata: Mapping[str, object] | None = None, dtype: str = "F16") -> bytes:
    table: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    position = 0
    for name, shape in shapes.items():
        end = position + BYTES[dtype] * math.prod(shape)
        table[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [position, end]}
        position = end
    return pack_header(json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode())


def pack_header(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw


def sd_checkpoint(context: int = 768, channels: int = 32) -> dict[str, tuple[int, ...]]:
    """Single-file Stable Diffusion in the original layout; a context of 2048 makes it SDXL's."""
    text = "conditioner.embedders.0.transformer" if context == 2048 else "cond_stage_model.transformer"
    return {
        **sd_unet(context, channels, "model.diffusion_model."),
        "first_stage_model.encoder.conv_in.weight": (16, 3, 3, 3),
        "first_stage_model.decoder.conv_out.weight": (3, 16, 3, 3),
        f"{text}.text_model.embeddings.token_embedding.weight": (16, 64),
    }


def sd_unet(context: int = 768, channels: int = 32, prefix: str = "", inputs: int = 4) -> dict[str, tuple[int, ...]]:
    """The original names of a UNet."""
    block = f"{prefix}input_blocks.1.1.transformer_blocks.0"
    return {
        f"{prefix}time_embed.0.weight": (4 * channels, channels),
        f"{prefix}input_blocks.0.0.weight": (channels, inputs, 3, 3),
        f"{block}.attn1.to_k.weight": (channels, channels),
        f"{block}.attn2.to_k.weight": (channels, context),
        f"{prefix}out.2.weight": (4, channels, 3, 3),
    }


def diffusers_unet(context: int = 768, channels: int = 32) -> dict[str, tuple[int, ...]]:
    block = "down_blocks.0.attentions.0.transformer_blocks.0"
    return {
        "conv_in.weight": (channels, 4, 3, 3),
        f"{block}.attn1.to_k.weight": (channels, channels),
        f"{block}.attn2.to_k.weight": (channels, context),
        "conv_out.weight": (4, channels, 3, 3),
    }


def kohya_lora(context: int = 768, rank: int = 2, channels: int = 32) -> dict[str, tuple[int, ...]]:
    """kohya's sd-scripts, Stable Diffusion: UNet and text encoder."""
    unet = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0"
    shapes: dict[str, tuple[int, ...]] = {}
    for module, width in ((f"{unet}_attn1_to_q", channels), (f"{unet}_attn2_to_k", context)):
        shapes[f"{module}.alpha"] = ()
        shapes[f"{module}.lora_down.weight"] = (rank, width)
        shapes[f"{module}.lora_up.weight"] = (channels, rank)
    return shapes


def peft_lora(context: int = 768, rank: int = 2, channels: int = 32) -> dict[str, tuple[int, ...]]:
    """diffusers with PEFT: `pytorch_lora_weights.safetensors`."""
    module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    return {f"{module}.lora_A.weight": (rank, context), f"{module}.lora_B.weight": (channels, rank)}


def write_pipeline(folder: Path, context: int = 768, *, seed: int = 0) -> Path:
    """Stable Diffusion in the diffusers layout."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": [None, None],
    }
    write_json(folder / "model_index.json", index)
    write_json(folder / "unet/config.json", {"_class_name": "UNet2DConditionModel", "cross_attention_dim": context})
    write_safetensors(folder / "unet/diffusion_pytorch_model.safetensors", diffusers_unet(context), seed=seed)
    write_safetensors(folder / "vae/diffusion_pytorch_model.safetensors", {"encoder.conv_in.weight": (8, 3, 3, 3)})
    write_safetensors(folder / "text_encoder/model.safetensors", {"text_model.final_layer_norm.weight": (64,)})
    return folder


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
