"""A tiny ConvNeXt that tells the world's things and colours apart.

timm's own architecture (arXiv 2201.03545), few channels, a last map of 7×7 as on ImageNet; saved as timm's `local-dir:`
folder. Trained as ImageNet's are: random crops, mirrored half of the time. About three minutes on one idle core.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from timm.models import save_for_hf
from torch.nn import functional

from .loop import Figures, Schedule, train
from .pictures import PictureSet, load
from .subjects import SUBJECTS
from .world import COLOURS, sample_scene

SIDE, SHOWN = 64, 56  # pixels of a picture, and of the crop that is looked at: 7 times the stride of 8
ARCHITECTURE = "convnext_tiny"
SHAPE: dict[str, Any] = {
    "depths": (1, 1, 2, 1),
    "dims": (32, 48, 64, 128),
    "patch_size": 2,
    "output_stride": 8,
    "kernel_sizes": (7, 7, 3, 3),  # the last two stages reach far by their dilation
    "ls_init_value": 1.0,  # the usual 1e-6 takes more steps to wake up than there are
}
MEAN, STD = (0.5, 0.5, 0.5), (0.3, 0.3, 0.3)
PICTURES = PictureSet(count=8000, seed=14, subjects=tuple(SUBJECTS), styled=0.3)
UNSEEN = PictureSet(count=900, seed=15, subjects=tuple(SUBJECTS))
SCHEDULE = Schedule(steps=700, batch=64, rate=3e-3, seed=5, average=0.98, weight_decay=0.05)


def new() -> Any:
    """Its outputs are the subjects and, behind them, the colours."""
    return timm.create_model(ARCHITECTURE, num_classes=len(SUBJECTS) + len(COLOURS), **SHAPE)


def labels(pictures: PictureSet) -> np.ndarray:
    """(N, 2): subject and colour, from the scenes that the set's pictures show."""
    scenes = [
        sample_scene(np.random.default_rng([pictures.seed, index]), pictures.subjects)
        for index in range(pictures.count)
    ]
    subjects, colours = list(SUBJECTS), list(COLOURS)
    return np.array([(subjects.index(scene.subject), colours.index(scene.colour)) for scene in scenes])


def fit(pictures: PictureSet, schedule: Schedule, work: Path, *, device: str = "cpu") -> tuple[Any, Figures]:
    images, _ = load(pictures, work)
    targets = torch.from_numpy(labels(pictures)).to(device)
    torch.manual_seed(schedule.seed)
    model = new().to(device).train()

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        chosen = rng.integers(len(images), size=schedule.batch)
        top, left = rng.integers(SIDE - SHOWN + 1, size=2)
        x = normalised(images[chosen, top : top + SHOWN, left : left + SHOWN])
        x = torch.where(torch.from_numpy(rng.random((len(x), 1, 1, 1)) < 0.5), x.flip(-1), x)
        subject, colour = model(x.to(device)).tensor_split([len(SUBJECTS)], dim=1)
        told = targets[chosen].T
        return functional.cross_entropy(subject, told[0]) + functional.cross_entropy(colour, told[1])

    figures = train(list(model.parameters()), loss, schedule, work / "train" / "convnext.pt")
    return model.eval(), figures


def normalised(pictures: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


@torch.no_grad()
def accuracy(model: Any, pictures: PictureSet, work: Path) -> float:
    """Share of pictures whose thing and colour are told, both."""
    images, targets = load(pictures, work)[0], labels(pictures)
    edge = (SIDE - SHOWN) // 2
    shown = images[:, edge : edge + SHOWN, edge : edge + SHOWN]
    device = next(model.parameters()).device
    out = torch.cat([model(normalised(shown[i : i + 100]).to(device)).cpu() for i in range(0, len(shown), 100)])
    told = torch.stack([part.argmax(1) for part in out.tensor_split([len(SUBJECTS)], dim=1)], dim=1)
    return float((told.numpy() == targets).all(axis=1).mean())


def save(model: Any, folder: Path) -> None:
    """config.json and model.safetensors, as `timm.create_model("local-dir:…")` reads them."""
    seen = {"input_size": [3, SHOWN, SHOWN], "pool_size": [7, 7], "crop_pct": SHOWN / SIDE, "crop_mode": "center"}
    seen |= {"mean": MEAN, "std": STD, "interpolation": "bicubic", "tag": "world", "license": "apache-2.0"}
    save_for_hf(model, str(folder), {"pretrained_cfg": seen}, model_args=SHAPE, safe_serialization=True)
    (folder / "config.json").write_text(json.dumps(cleaned(folder), indent=2) + "\n")


def cleaned(folder: Path) -> dict[str, Any]:
    """The folder's config without what timm knows of the model of that name: where its weights are, its test sizes."""
    config = json.loads((folder / "config.json").read_text())
    cfg = config["pretrained_cfg"]
    kept = {key: value for key, value in cfg.items() if key not in ("url", "hf_hub_id") and "test_" not in key}
    config["pretrained_cfg"] = kept | {"pool_size": [7, 7]}
    return config


def build(out: Path, work: Path, *, device: str = "cpu", scale: float = 1.0) -> None:
    """A folder for `timm.create_model("local-dir:…")`, with what it tells apart in figures.json."""
    schedule = replace(SCHEDULE, steps=max(2, round(SCHEDULE.steps * scale)))
    model, figures = fit(PICTURES, schedule, work, device=device)
    save(model.cpu(), out)
    told = {"accuracy": accuracy(model, UNSEEN, work), "classes": len(SUBJECTS) * len(COLOURS), **figures.summary()}
    (out / "figures.json").write_text(json.dumps(told, indent=2) + "\n")
