"""diffusers' parts of a Stable Diffusion model -> one file with the keys of the original code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from .diffusion import TinyDiffusion

Tensors = Mapping[str, torch.Tensor]

UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def save(model: TinyDiffusion, path: Path, metadata: dict[str, str]) -> None:
    tensors = {f"model.diffusion_model.{k}": v for k, v in unet_keys(model.unet.state_dict(), 1).items()}
    tensors |= {f"first_stage_model.{k}": v for k, v in vae_keys(model.vae.state_dict()).items()}
    tensors |= {f"cond_stage_model.transformer.{k}": v for k, v in text_keys(model.text.state_dict()).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous().cpu() for k, v in tensors.items()}, path, metadata=metadata or {"format": "pt"})


def unet_keys(state: Tensors, layers: int) -> dict[str, torch.Tensor]:
    """`layers` is the UNet's layers_per_block."""
    levels = _levels(state, "down_blocks.")
    attends = {k.rsplit(".attentions", 1)[0] for k in state if ".attentions." in k}
    return {_unet_key(k, layers, levels, attends): v for k, v in state.items()}


def _levels(state: Tensors, blocks: str) -> int:
    return 1 + max(int(key.removeprefix(blocks).split(".")[0]) for key in state if key.startswith(blocks))


def _unet_key(key: str, layers: int, levels: int, attends: set[str]) -> str:
    for old, new in UNET_ENDS.items():
        if key.startswith(old + "."):
            return new + key[len(old) :]
    if key.startswith("mid_block"):
        kind, i, rest = re.fullmatch(r"mid_block\.(\w+)\.(\d+)\.(.*)", key).groups()  # type: ignore[union-attr]  # the key is of this form
        return f"middle_block.{1 if kind == 'attentions' else 2 * int(i)}.{_resnet(kind, rest)}"
    side, block, kind, i, rest = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", key).groups()  # type: ignore[union-attr]  # the key is of this form
    slot = int(block) * (layers + 1) + int(i)
    attended = f"{side}_blocks.{block}" in attends
    if side == "down":
        if kind == "downsamplers":
            return f"input_blocks.{(int(block) + 1) * (layers + 1)}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{slot + 1}.{int(kind == 'attentions')}.{_resnet(kind, rest)}"
    if kind == "upsamplers":
        return f"output_blocks.{int(block) * (layers + 1) + layers}.{1 + attended}.{rest}"
    return f"output_blocks.{slot}.{int(kind == 'attentions')}.{_resnet(kind, rest)}"


def _resnet(kind: str, rest: str) -> str:
    name, end = rest.rsplit(".", 1)
    return f"{RESNET[name]}.{end}" if kind == "resnets" else rest


def vae_keys(state: Tensors) -> dict[str, torch.Tensor]:
    out, levels = {}, _levels(state, "encoder.down_blocks.")
    for key, value in state.items():
        new = _vae_key(key, levels)
        matrix = ".attn_1." in new and value.ndim == 2
        out[new] = value[:, :, None, None] if matrix else value
    return out


def _vae_key(key: str, levels: int) -> str:
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    if "mid_block.attentions.0" in key:
        key = key.replace("mid_block.attentions.0", "mid.attn_1")
        for old, new in VAE_ATTENTION.items():
            key = key.replace(f".{old}.", f".{new}.")
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", key)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", key)


def text_keys(state: Tensors) -> dict[str, torch.Tensor]:
    """transformers 5 leaves out the `text_model.` that files have."""
    return {
        k if k.startswith("text_model.") else f"text_model.{k}": v
        for k, v in state.items()
        if not k.endswith("position_ids")
    }
