"""Line drawings as latents of a loaded pipeline, for reference-only attention."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..probes import ProbeSet
from .compatibility import quietly
from .reference_only import Reference, reference_only
from .reference_plan import NOISE_SEED


def looking_at_drawings(
    pipe: Any, probe_set: ProbeSet, numbers: Sequence[int], drawings: Mapping[str, Image.Image]
) -> AbstractContextManager[None]:
    """While inside, the pipeline paints these probes' drawings. All of the numbers have one, or none has."""
    names = [name for number in numbers if (name := probe_set.probes[number].drawing)]
    if not names:
        return nullcontext()
    if len(names) < len(numbers):
        raise ValueError(f"{len(names)} of {len(numbers)} probes of a batch have a drawing; all must, or none")
    size = probe_set.width, probe_set.height
    latents = torch.cat([_latent(pipe.vae, drawings[name].resize(size, Image.Resampling.BICUBIC)) for name in names])
    reference = Reference(
        latents=latents,
        noise=_noise(latents, [probe_set.probes[number].seed for number in numbers]),
        weight=probe_set.reference_weight,
        style_fidelity=probe_set.style_fidelity,
    )
    return reference_only(pipe.unet, pipe.scheduler.alphas_cumprod, reference)


def _latent(vae: Any, drawing: Image.Image) -> torch.Tensor:
    """(1, 4, h, w), the mode of the VAE's posterior; in single precision, because many a VAE overflows half."""
    pixels = torch.from_numpy(np.asarray(drawing.convert("RGB"), np.float32) / 127.5 - 1)
    with _in_single_precision(vae):
        posterior = vae.encode(pixels.permute(2, 0, 1)[None].to(vae.device)).latent_dist
    return _scaled(vae.config, posterior.mode())


@contextmanager
def _in_single_precision(vae: Any) -> Generator[None]:
    own = vae.dtype
    if own == torch.float32:
        yield
        return
    with quietly():
        vae.to(torch.float32)
    try:
        yield
    finally:
        with quietly():
            vae.to(own)


def _scaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if mean is None or std is None:
        return latents * config["scaling_factor"]
    mean, std = (latents.new_tensor(values).view(1, -1, 1, 1) for values in (mean, std))
    return (latents - mean) * config["scaling_factor"] / std


def _noise(latents: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
    generators = [torch.Generator().manual_seed(seed + NOISE_SEED) for seed in seeds]
    return torch.stack([torch.randn(latents.shape[1:], generator=each) for each in generators]).to(latents)
