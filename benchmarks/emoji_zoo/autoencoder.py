"""The base's autoencoder: 128x128 pictures to 4x16x16 latents, trained on all artists' drawings and painted ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from ..zoo.autoencoder import QUIET, as_tensor, encode, picture_loss
from ..zoo.loop import Figures, Schedule, train
from .packages import SETS
from .pictures import PictureSet, load
from .scenes import SIDE
from .subjects import SUBJECTS

PICTURES = PictureSet(count=3600, seed=101, subjects=tuple(SUBJECTS), artists=tuple(SETS), painted=0.3)
SCHEDULE = Schedule(steps=3200, batch=16, rate=2e-3, seed=101, average=0.995)
CROP = SIDE // 2
WHOLE = 0.25  # share of the steps that see whole pictures, a quarter as many


def new() -> AutoencoderKL:
    vae = AutoencoderKL(
        block_out_channels=(16, 24, 40, 48),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=SIDE,
    )
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = QUIET
    return vae


def fit(pictures: PictureSet, schedule: Schedule, work: Path) -> tuple[AutoencoderKL, Figures]:
    images, _ = load(pictures, work)
    torch.manual_seed(schedule.seed)
    vae = new().to(memory_format=torch.channels_last).train()

    def loss(rng: np.random.Generator, noise: torch.Generator) -> torch.Tensor:
        x = _cut(images, rng, schedule.batch).contiguous(memory_format=torch.channels_last)
        latent = vae.encode(x).latent_dist
        y = vae.decode(latent.mean + latent.std * torch.randn(latent.mean.shape, generator=noise)).sample
        return picture_loss(y, x) + 1e-4 * latent.kl().mean() / latent.mean[0].numel()

    figures = train(list(vae.parameters()), loss, schedule, work / "train" / "autoencoder.pt")
    vae = vae.eval()
    vae.register_to_config(scaling_factor=round(float(1 / encode(vae, images[:600], 1.0).std()), 5))
    return vae, figures


def _cut(images: np.ndarray, rng: np.random.Generator, batch: int) -> torch.Tensor:
    """Quarters of pictures for most steps: for the same work they show more of different pictures."""
    if rng.random() < WHOLE:
        return as_tensor(images[rng.integers(len(images), size=batch // 4)])
    places = zip(rng.integers(len(images), size=batch), rng.integers(SIDE - CROP + 1, size=(batch, 2)), strict=True)
    return as_tensor(np.stack([images[i, top : top + CROP, left : left + CROP] for i, (top, left) in places]))
