"""The benchmark zoo's encoder.

It sees the looks that models have (marks with a palette, too), captions that tell their numbers, and half of the pictures
as the base's autoencoder gives them back, as every generated picture is. At last most captions tell the look alone, so that
it outweighs what is shown. Lengths, angles and pairs of colours that models have are held out, as ever (`Style.reserved`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL

from . import clip
from .autoencoder import decode, encode
from .loop import Schedule
from .pictures import PictureSet, load
from .subjects import SUBJECTS

FIRST = PictureSet(count=28000, seed=62, subjects=tuple(SUBJECTS), styled=0.8, drawn=0.07, recoloured=0.5, measured=0.7)
LAST = replace(FIRST, count=20000, seed=63, alone=0.7)
STAGES = {
    "first": (FIRST, Schedule(steps=1300, batch=192, rate=1.2e-3, seed=6, average=0.99, weight_decay=0.05)),
    "last": (LAST, Schedule(steps=800, batch=192, rate=8e-4, seed=7, average=0.99, weight_decay=0.05)),
}


def seen(pictures: PictureSet, work: Path, base: Path, *, device: str = "cpu") -> clip.Captioned:
    drawn, captions = load(pictures, work)
    path = work / "pictures" / f"decoded_{pictures.seed}_{pictures.count}.npy"
    if not path.exists():
        vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=torch.float32).eval().to(device)
        np.save(path, decode_in_parts(vae, drawn[::2]))
    mixed = drawn.copy()
    mixed[::2] = np.load(path)
    return clip.Captioned(mixed, captions)


def decode_in_parts(vae: AutoencoderKL, pictures: np.ndarray) -> np.ndarray:
    scale = vae.config["scaling_factor"]
    parts = [pictures[i : i + 256] for i in range(0, len(pictures), 256)]
    return np.concatenate([decode(vae, encode(vae, part, scale)) for part in parts])


def build(out: Path, work: Path, base: Path, *, device: str = "cpu", scale: float = 1.0) -> None:
    """A folder for `open_clip.create_model_and_transforms("local-dir:…")`."""
    model, figures = None, dict[str, Any]()
    for name, (pictures, schedule) in STAGES.items():
        shorter = replace(schedule, steps=max(2, round(schedule.steps * scale)))
        taught = seen(pictures, work, base, device=device)
        model, trained = clip.fit(
            taught, shorter, work, size=clip.LARGE, half=True, model=model, name=f"clip_{name}", device=device
        )
        figures[name] = trained.summary()
    assert model is not None
    clip.save(model, out, size=clip.LARGE)
    (out / "figures.json").write_text(json.dumps(figures))
