"""A small CSD with random weights, in the two forms in which it is published."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

WIDTH, LAYERS, PATCH, GRID, DIMENSION = 128, 2, 8, 4, 48  # two heads
SIDE = PATCH * GRID


def csd_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """297 tensors in the published one: `backbone.` is CLIP's tower without its projection."""
    random = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}

    def put(name: str, *shape: int, scale: float = 1.0) -> None:
        state[name] = torch.randn(shape, generator=random) * scale

    def norm(name: str) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.ones(WIDTH), torch.zeros(WIDTH)

    def layer(name: str, outputs: int, inputs: int, *, dotted: str = ".") -> None:
        put(f"{name}{dotted}weight", outputs, inputs, scale=inputs**-0.5)
        put(f"{name}{dotted}bias", outputs, scale=0.1)

    put("backbone.class_embedding", WIDTH)
    put("backbone.positional_embedding", 1 + GRID**2, WIDTH, scale=0.3)
    put("backbone.conv1.weight", WIDTH, 3, PATCH, PATCH, scale=0.2)
    norm("backbone.ln_pre")
    for number in range(LAYERS):
        block = f"backbone.transformer.resblocks.{number}"
        norm(f"{block}.ln_1")
        layer(f"{block}.attn.in_proj", 3 * WIDTH, WIDTH, dotted="_")
        layer(f"{block}.attn.out_proj", WIDTH, WIDTH)
        norm(f"{block}.ln_2")
        layer(f"{block}.mlp.c_fc", 4 * WIDTH, WIDTH)
        layer(f"{block}.mlp.c_proj", WIDTH, 4 * WIDTH)
    norm("backbone.ln_post")
    put("last_layer_style", WIDTH, DIMENSION, scale=WIDTH**-0.5)
    put("last_layer_content", WIDTH, DIMENSION, scale=WIDTH**-0.5)
    return state


def plain_file(path: Path, seed: int = 0) -> Path:
    """The tensors alone, as safetensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(csd_state(seed), path)
    return path


def authors_file(path: Path, seed: int = 0) -> Path:
    """The authors' checkpoint: of a distributed training, its options and figures beside it, by numpy 1's names."""
    checkpoint = {
        "model_state_dict": {f"module.{name}": tensor for name, tensor in csd_state(seed).items()},
        "opt_bb": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": np.float64(1e-4)}]},
        "iter": 80_000,
        "args": argparse.Namespace(arch="vit_large", lr=0.1),
        "fp16_scaler": None,
    }
    torch.save(checkpoint, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content.replace(b"cnumpy._core.", b"cnumpy.core."))
    return path
