"""The mini CLIP: open_clip's own architecture with a small configuration, trained on captions of the whole world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip import CLIP, ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file

from . import vocabulary
from .loop import Figures, Schedule, train
from .pictures import PictureSet, load

MEAN, STD = (0.5, 0.5, 0.5), (0.3, 0.3, 0.3)
CONTEXT = 48  # tokens; the longest caption of the world fits


def settings() -> dict[str, Any]:
    """Contents of open_clip_config.json."""
    vocabulary_size = 514 + len(vocabulary.merges(vocabulary.words()))
    model = {
        "embed_dim": 96,
        "vision_cfg": {"image_size": 64, "layers": 4, "width": 112, "head_width": 28, "patch_size": 8},
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": vocabulary_size,
            "width": 80,
            "heads": 4,
            "layers": 2,
            "hf_tokenizer_name": ".",
        },
    }
    return {
        "model_cfg": model,
        "preprocess_cfg": {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def new() -> CLIP:
    model = settings()["model_cfg"]
    return CLIP(
        model["embed_dim"],
        model["vision_cfg"],
        {k: v for k, v in model["text_cfg"].items() if k != "hf_tokenizer_name"},
    )


def fit(pictures: PictureSet, schedule: Schedule, work: Path) -> tuple[CLIP, Figures]:
    images, captions = load(pictures, work)
    tokens = tokenizer(work)(captions, context_length=CONTEXT)
    torch.manual_seed(schedule.seed)
    model = new().train()
    contrast = ClipLoss()

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        chosen = rng.integers(len(images), size=schedule.batch)
        x = normalised(images[chosen])
        x = torch.where(torch.from_numpy(rng.random((len(x), 1, 1, 1)) < 0.5), x.flip(-1), x)
        features = model(x, tokens[chosen])
        return contrast(features[0], features[1], model.logit_scale.exp().clamp(max=60))

    figures = train(list(model.parameters()), loss, schedule, work / "train" / "clip.pt")
    return model.eval(), figures


def tokenizer(work: Path) -> SimpleTokenizer:
    path = work / "bpe.txt.gz"
    work.mkdir(parents=True, exist_ok=True)
    vocabulary.save_bpe(path)
    return SimpleTokenizer(bpe_path=str(path))


def normalised(pictures: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def save(model: CLIP, folder: Path) -> None:
    """A folder for `open_clip.create_model_and_transforms('local-dir:…')`, half precision."""
    vocabulary.save(folder, pad="!")
    (folder / "open_clip_config.json").write_text(json.dumps(settings(), indent=2))
    save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")


@torch.no_grad()
def image_features(model: CLIP, pictures: np.ndarray) -> np.ndarray:
    """(N, 64, 64, 3) uint8 -> (N, D), unit rows."""
    return torch.cat(
        [model.encode_image(normalised(pictures[i : i + 256]), normalize=True) for i in range(0, len(pictures), 256)]
    ).numpy()
