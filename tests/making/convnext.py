"""A ConvNeXt of a few thousand weights, as timm keeps one in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file

SHAPE: dict[str, Any] = {"depths": [1, 1, 1, 1], "dims": [4, 4, 4, 6], "patch_size": 2, "output_stride": 8}
SEEN = {"input_size": [3, 28, 28], "crop_pct": 0.875, "crop_mode": "center", "interpolation": "bicubic"}


def tiny(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    model = timm.create_model("convnext_tiny", num_classes=3, ls_init_value=1.0, **SHAPE)
    return model.eval()


def write_convnext(folder: Path, *, seed: int = 0, **others: object) -> Path:
    """config.json and model.safetensors; `others` are further settings of how pictures are seen."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tiny(seed).state_dict(), folder / "model.safetensors")
    settings = {**SEEN, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], **others}
    config = {"architecture": "convnext_tiny", "num_classes": 3, "model_args": SHAPE, "pretrained_cfg": settings}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
