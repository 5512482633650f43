"""Folders of small real model files for the indexing tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

LORA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
CHECKPOINT = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


def make_folder(folder: Path, names: Sequence[str]) -> list[Path]:
    """A kohya LoRA for each name; a checkpoint where the name says so. Its title is its name."""
    folder.mkdir(parents=True)
    return [_make(folder / f"{name}.safetensors", seed, name) for seed, name in enumerate(names)]


def _make(path: Path, seed: int, name: str) -> Path:
    rng = np.random.default_rng(seed)
    if "checkpoint" in name:
        tensors = {
            CHECKPOINT: rng.normal(size=(320, 768)),
            "model.diffusion_model.input_blocks.0.0.weight": rng.normal(size=(320, 4, 3, 3)),
            "model.diffusion_model.time_embed.0.weight": rng.normal(size=(1280, 320)),
            "model.diffusion_model.out.2.weight": rng.normal(size=(4, 320, 3, 3)),
            "first_stage_model.decoder.conv_in.weight": rng.normal(size=(8, 4, 3, 3)),
            "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": rng.normal(size=(77, 768)),
        }
    else:
        tensors = {
            f"{LORA}.lora_down.weight": rng.normal(size=(4, 768)),
            f"{LORA}.lora_up.weight": rng.normal(size=(320, 4)),
            f"{LORA}.alpha": np.array(4.0),
        }
    save_file({key: value.astype(np.float16) for key, value in tensors.items()}, path, {"ss_output_name": name})
    return path
