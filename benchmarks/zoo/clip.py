"""The zoos' CLIP: open_clip's own architecture with a small configuration, trained on captions of the whole world.

The procedural zoo's is small enough to be bundled; the benchmark zoo's (`LARGE`) tells looks apart that the mini one confuses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from open_clip import CLIP, ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file

from . import vocabulary
from .loop import Figures, Schedule, train

MEAN, STD = (0.5, 0.5, 0.5), (0.3, 0.3, 0.3)
CONTEXT = 48  # tokens; the longest caption of the world fits


Settings = dict[str, Any]
MINI: Settings = {
    "embed_dim": 96,
    "vision_cfg": {"image_size": 64, "layers": 4, "width": 112, "head_width": 28, "patch_size": 8},
    "text_cfg": {"width": 80, "heads": 4, "layers": 2},
}
LARGE: Settings = {  # CLIP's residual network: it sees marks of a few pixels, which a patch of 8 hardly does
    "embed_dim": 192,
    "vision_cfg": {"image_size": 64, "layers": [1, 2, 2, 1], "width": 32, "head_width": 64},
    "text_cfg": {"width": 96, "heads": 4, "layers": 2},
}


class Captioned(NamedTuple):
    pictures: np.ndarray  # (N, 64, 64, 3) uint8
    captions: list[str]


def settings(size: Settings = MINI) -> Settings:
    """Contents of open_clip_config.json."""
    vocabulary_size = 514 + len(vocabulary.merges(vocabulary.words()))
    text = {"context_length": CONTEXT, "vocab_size": vocabulary_size, **size["text_cfg"], "hf_tokenizer_name": "."}
    return {
        "model_cfg": size | {"text_cfg": text},
        "preprocess_cfg": {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def new(size: Settings = MINI) -> CLIP:
    model = settings(size)["model_cfg"]
    return CLIP(
        model["embed_dim"],
        model["vision_cfg"],
        {k: v for k, v in model["text_cfg"].items() if k != "hf_tokenizer_name"},
    )


def fit(
    seen: Captioned,
    schedule: Schedule,
    work: Path,
    *,
    size: Settings = MINI,
    half: bool = False,
    model: CLIP | None = None,
    name: str = "clip",
    device: str = "cpu",
) -> tuple[CLIP, Figures]:
    """Trains a new model of that size, or `model` further. `half`: in bfloat16, twice as fast where the processor has it."""
    tokens = tokenizer(work)(seen.captions, context_length=CONTEXT)
    torch.manual_seed(schedule.seed)
    layout = torch.channels_last if half else torch.contiguous_format
    model = (model or new(size)).to(device, memory_format=layout).train()
    contrast = ClipLoss()

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        chosen = rng.integers(len(seen.pictures), size=schedule.batch)
        x = normalised(seen.pictures[chosen])
        x = torch.where(torch.from_numpy(rng.random((len(x), 1, 1, 1)) < 0.5), x.flip(-1), x)
        with torch.autocast(device, torch.bfloat16, enabled=half):
            features = model(x.to(device), tokens[chosen].to(device))
        return contrast(features[0].float(), features[1].float(), model.logit_scale.exp().clamp(max=60))

    figures = train(list(model.parameters()), loss, schedule, work / "train" / f"{name}.pt")
    return _settled(model, seen.pictures).eval(), figures


@torch.no_grad()
def _settled(model: CLIP, pictures: np.ndarray) -> CLIP:
    """With the statistics of batch norms, where it has any, that belong to its averaged weights."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches, not of the last
    for start in range(0, min(len(pictures), 4000) if norms else 0, 200):
        model.encode_image(normalised(pictures[start : start + 200]).to(model.logit_scale.device))
    return model


def tokenizer(work: Path) -> SimpleTokenizer:
    path = work / "bpe.txt.gz"
    work.mkdir(parents=True, exist_ok=True)
    vocabulary.save_bpe(path)
    return SimpleTokenizer(bpe_path=str(path))


def normalised(pictures: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def save(model: CLIP, folder: Path, *, size: Settings = MINI) -> None:
    """A folder for `open_clip.create_model_and_transforms('local-dir:…')`, half precision."""
    vocabulary.save(folder, pad="!")
    (folder / "open_clip_config.json").write_text(json.dumps(settings(size), indent=2))
    save_file(
        {k: v.half().contiguous().cpu() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )


@torch.no_grad()
def image_features(model: CLIP, pictures: np.ndarray) -> np.ndarray:
    """(N, 64, 64, 3) uint8 -> (N, D), unit rows."""
    parts = (normalised(pictures[i : i + 256]).to(model.logit_scale.device) for i in range(0, len(pictures), 256))
    return torch.cat([model.encode_image(part, normalize=True).cpu() for part in parts]).numpy()
