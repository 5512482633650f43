"""A few-step LoRA and a small decoder for the zoo's base.

The LoRA is distilled as an LCM (arXiv 2310.04378, 2311.05556), the decoder is a TAESD of few channels. Both are written
as users have them, so that indexing finds them by itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file
from torch.func import functional_call

from . import diffusion, lora, lora_files
from .autoencoder import decode
from .build import BASE as PICTURES
from .diffusion import TinyDiffusion, encoded, tokens
from .loop import Figures, Schedule, train
from .plan import Plan

LORA = Plan(file="lcm_lora_mini.safetensors", category="accelerator", rank=16)
DECODER, WEIGHTS = "taesd_mini", "diffusion_pytorch_model.safetensors"
TEACHER_STEPS = 50  # of DDIM, one of which a step of the distillation bridges
GUIDANCE = 3.0  # that the pictures of few steps have built in
SIGMA, SCALING = 0.5, 10.0  # of diffusers' LCMScheduler: how much of its input a step keeps
LCM_SCHEDULE = Schedule(steps=900, batch=16, rate=2e-3, seed=8, weight_decay=0.0)
DECODER_SCHEDULE = Schedule(steps=1500, batch=24, rate=2e-3, seed=9, average=0.99)


def few_steps(base: TinyDiffusion, work: Path, schedule: Schedule) -> tuple[dict[str, lora.Factors], Figures]:
    """A LoRA through which one step from any noise arrives where the teacher's next step would lead."""
    latents, captions = encoded(PICTURES, base.vae, work)
    with torch.no_grad():
        ids, device = tokens(base.tokenizer, captions), base.unet.device
        text = base.text.requires_grad_(False)
        empty = text(tokens(base.tokenizer, [""]).to(device)).last_hidden_state
    torch.manual_seed(schedule.seed)
    low = lora.new(base, LORA.rank)
    base.unet.requires_grad_(False)
    alphas, stride = diffusion.scheduler().alphas_cumprod, 1000 // TEACHER_STEPS

    def student(x: torch.Tensor, t: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Where a trajectory that is at x at t begins."""
        e = functional_call(base.unet, lora.merged(base, low), (x, t.to(device), context)).sample
        kept, changed = boundary(t.to(device))
        return kept * x + changed * clean(x, e, alphas[t])

    def loss(rng: np.random.Generator, noise: torch.Generator) -> torch.Tensor:
        chosen = torch.from_numpy(rng.integers(len(latents), size=schedule.batch))
        late = torch.from_numpy(rng.integers(1, TEACHER_STEPS + 1, size=schedule.batch)) * stride - 1
        early = (late - stride).clamp(min=0)
        e = torch.randn(latents[chosen].shape, generator=noise)
        x = mixed(latents[chosen], e, alphas[late]).to(device)
        with torch.no_grad():
            context = text(ids[chosen].to(device)).last_hidden_state
            both = torch.cat([empty.expand_as(context), context])
            free, bound = base.unet(torch.cat([x, x]), torch.cat([late, late]).to(device), both).sample.chunk(2)
            guess = free + GUIDANCE * (bound - free)
            before = mixed(clean(x, guess, alphas[late]), guess, alphas[early])
            target = student(before, early, context)
        d = student(x, late, context) - target
        return (torch.sqrt(d.square() + 1e-6) - 1e-3).mean()  # Huber's, as in the paper

    weights = [w for f in low.values() for w in (f.down, f.up)]
    return low, train(weights, loss, schedule, work / "train" / "lcm.pt")


def boundary(t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How much of its input and of its output a step takes: all of the input at t = 0."""
    scaled = (t * SCALING)[:, None, None, None]
    return SIGMA**2 / (scaled**2 + SIGMA**2), scaled / torch.sqrt(scaled**2 + SIGMA**2)


def clean(x: torch.Tensor, e: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    a = a.to(x.device)[:, None, None, None]
    return (x - (1 - a).sqrt() * e) / a.sqrt()


def mixed(x: torch.Tensor, e: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    a = a.to(x.device)[:, None, None, None]
    return a.sqrt() * x + (1 - a).sqrt() * e


def small_decoder(base: TinyDiffusion, work: Path, schedule: Schedule) -> tuple[AutoencoderTiny, Figures]:
    """Decodes the base's latents as its own decoder does, with a fraction of the arithmetic."""
    latents, _ = encoded(PICTURES, base.vae, work)
    torch.manual_seed(schedule.seed)
    levels = len(base.vae.config["block_out_channels"])
    vae = (
        AutoencoderTiny(
            encoder_block_out_channels=(16,) * levels,
            decoder_block_out_channels=(16,) * levels,
            num_encoder_blocks=(1,) * levels,
            num_decoder_blocks=(2, *(1,) * (levels - 1)),
        )
        .to(base.vae.device)
        .train()
    )

    def loss(rng: np.random.Generator, _: torch.Generator) -> torch.Tensor:
        x = latents[torch.from_numpy(rng.integers(len(latents), size=schedule.batch))]
        told = torch.from_numpy(decode(base.vae, x)).permute(0, 3, 1, 2).float() / 127.5 - 1
        d = vae.decoder(x.to(vae.device)) - told.to(vae.device)
        return d.abs().mean() + d.diff(dim=-1).abs().mean() + d.diff(dim=-2).abs().mean()

    figures = train(list(vae.decoder.parameters()), loss, schedule, work / "train" / "taesd.pt")
    return vae.eval(), figures


def build(out: Path, work: Path, base: TinyDiffusion, *, scale: float = 1.0) -> None:
    vae, decoding = small_decoder(base, work, _shorter(DECODER_SCHEDULE, scale))
    folder = out / "vae_approx" / DECODER
    vae.save_config(folder)
    save_file({name: value.cpu() for name, value in vae.state_dict().items()}, folder / WEIGHTS)
    low, distilling = few_steps(base, work, _shorter(LCM_SCHEDULE, scale))
    lora_files.save(low, LORA, out / "loras" / LORA.file, [])
    figures = {DECODER: decoding.summary(), Path(LORA.file).stem: distilling.summary()}
    (out / "figures.json").write_text(json.dumps(figures, indent=1))


def _shorter(schedule: Schedule, scale: float) -> Schedule:
    return replace(schedule, steps=max(2, round(schedule.steps * scale)))
