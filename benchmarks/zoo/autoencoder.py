"""The tiny Stable Diffusion's autoencoder: 64x64 pictures to 4x16x16 latents, trained on plain and styled pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from .loop import Figures, Schedule, train
from .pictures import PictureSet, load

QUIET = -8.0  # log-variance that training starts with: under louder noise all four channels learn lightness alone


def new() -> AutoencoderKL:
    vae = AutoencoderKL(
        block_out_channels=(16, 24, 32),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        sample_size=64,
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
        x = as_tensor(images[rng.integers(len(images), size=schedule.batch)])
        latent = vae.encode(x).latent_dist
        y = vae.decode(latent.mean + latent.std * torch.randn(latent.mean.shape, generator=noise)).sample
        return picture_loss(y, x) + 1e-4 * latent.kl().mean() / latent.mean[0].numel()

    figures = train(list(vae.parameters()), loss, schedule, work / "train" / "autoencoder.pt")
    vae = vae.eval()
    spread = encode(vae, images[:1000], 1.0).std()
    vae.register_to_config(scaling_factor=round(float(1 / spread), 5))
    return vae, figures


def picture_loss(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """L1 and L2, L1 between neighbouring pixels so that marks keep their edges, and of 4x4 blocks so that areas keep
    their colour, which counts for little in the other terms."""
    d = y - x
    edges = d.diff(dim=-1).abs().mean() + d.diff(dim=-2).abs().mean()
    area = torch.nn.functional.avg_pool2d(d, 4)
    colour = area - area.mean(dim=1, keepdim=True)
    return d.abs().mean() + d.square().mean() + edges + 2 * area.abs().mean() + 6 * colour.abs().mean()


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    """(N, 64, 64, 3) uint8 -> (N, 3, 64, 64) in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: np.ndarray, scale: float) -> torch.Tensor:
    """Latents (N, 4, 16, 16), the means only."""
    return torch.cat(
        [
            vae.encode(as_tensor(pictures[i : i + 64]).to(vae.device)).latent_dist.mean.cpu() * scale
            for i in range(0, len(pictures), 64)
        ]
    )


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: torch.Tensor) -> np.ndarray:
    y = vae.decode((latents / vae.config["scaling_factor"]).to(vae.device)).sample
    return ((y.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
