"""The benchmark zoo's encoder: `python -m benchmarks.zoo.large_clip`, about three quarters of an hour of one core.

It sees the looks that models have (marks with a palette, too), captions that tell their numbers, and half of the pictures
as the base's autoencoder gives them back, as every generated picture is. At last most captions tell the look alone, so that
it outweighs what is shown. Values that models have are held out, as ever.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from . import clip
from .autoencoder import decode, encode
from .large_build import BASE
from .loop import Schedule
from .pictures import PictureSet, load
from .subjects import SUBJECTS

FIRST = PictureSet(count=28000, seed=62, subjects=tuple(SUBJECTS), styled=0.8, drawn=0.07, recoloured=0.5, measured=0.7)
LAST = replace(FIRST, count=20000, seed=63, alone=0.7)
STAGES = {
    "first": (FIRST, Schedule(steps=1300, batch=192, rate=1.2e-3, seed=6, average=0.99, weight_decay=0.05)),
    "last": (LAST, Schedule(steps=800, batch=192, rate=8e-4, seed=7, average=0.99, weight_decay=0.05)),
}


def seen(pictures: PictureSet, work: Path, base: Path) -> clip.Captioned:
    drawn, captions = load(pictures, work)
    path = work / "pictures" / f"decoded_{pictures.seed}_{pictures.count}.npy"
    if not path.exists():
        vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=torch.float32).eval()
        np.save(path, decode_in_parts(vae, drawn[::2]))
    mixed = drawn.copy()
    mixed[::2] = np.load(path)
    return clip.Captioned(mixed, captions)


def decode_in_parts(vae: AutoencoderKL, pictures: np.ndarray) -> np.ndarray:
    scale = vae.config["scaling_factor"]
    parts = [pictures[i : i + 256] for i in range(0, len(pictures), 256)]
    return np.concatenate([decode(vae, encode(vae, part, scale)) for part in parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/benchmark_zoo"))
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--scale", type=float, default=1.0, help="of the training steps; small for a trial")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    work, model, figures = args.out / "work" / "clip", None, {}
    for name, (pictures, schedule) in STAGES.items():
        shorter = replace(schedule, steps=max(2, round(schedule.steps * args.scale)))
        taught = seen(pictures, work, args.base)
        model, trained = clip.fit(taught, shorter, work, size=clip.LARGE, half=True, model=model, name=f"clip_{name}")
        figures[name] = trained.summary()
    clip.save(model, args.out / "clip", size=clip.LARGE)
    (args.out / "clip" / "figures.json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
