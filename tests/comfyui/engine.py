"""A ComfyUI with full-size models of random weights, and what a test does with its indexer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.encoders import open_encoder
from tests.comfyui.host import ComfyUI, install, other_packs, own_environment
from tests.making.clip import clip_folder

LORAS = ("ink wash", "neon", "clay")
MAKER = Path(__file__).with_name("random_sd15.py")
CROSS_ATTENTION = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
SMALL = {"size": 64, "steps": 2, "samples": 4, "quiet": 0}


def make_weights(folder: Path) -> Path:
    """Half a minute; `COMFYUI_TEST_MODELS` keeps them for the next time."""
    kept = os.environ.get("COMFYUI_TEST_MODELS")
    folder = Path(kept) if kept else folder
    if not (folder / "checkpoints").is_dir():
        python = os.environ.get("COMFYUI_PYTHON", sys.executable)
        command = [python, str(MAKER), str(folder), *LORAS]
        subprocess.run(command, cwd=os.environ["COMFYUI_PATH"], env=own_environment(None), check=True)
    return folder


def make_base(weights: Path, base: Path) -> Path:
    """These models, with a small CLIP for an encoder."""
    install(base)
    other_packs(base)
    for kind in ("checkpoints", "loras"):
        folder = base / "models" / kind
        folder.mkdir(parents=True)
        for file in (weights / kind).iterdir():
            (folder / file.name).symlink_to(file)
    clip = clip_folder(base / "clip")
    encoder = open_encoder(str(clip), device="cpu")
    with Catalog(catalog_of(base)) as catalog:
        catalog.put_encoder(encoder.name, str(clip), encoder.dimension)
    return base


def catalog_of(base: Path) -> Path:
    return base / "user" / "__modelsearch" / "catalog.sqlite"


def progress(server: ComfyUI) -> dict[str, Any]:
    return server.get("/modelsearch/index")["progress"]


def until(server: ComfyUI, reached: Callable[[dict[str, Any]], bool], seconds: float = 300.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = progress(server)
        if reached(now):
            return now
        time.sleep(0.1)
    raise AssertionError(f"{now}\n{server.logged()[-3000:]}")


def act(server: ComfyUI, action: str, **more: Any) -> None:
    status, answer = server.post("/modelsearch/index", {"action": action, **more})
    assert status == 200, answer


def add_lora(path: Path, layer: str = CROSS_ATTENTION, seed: int = 7, width: int = 320) -> None:
    """Small, on one layer, whose output is 320 wide in the model."""
    random = np.random.default_rng(seed)
    factors = {"lora_down": random.normal(size=(4, 768)), "lora_up": random.normal(size=(width, 4))}
    save_file({f"{layer}.{name}.weight": values.astype(np.float16) for name, values in factors.items()}, path)
