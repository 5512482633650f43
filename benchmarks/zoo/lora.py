"""LoRA (arXiv 2106.09685) and DoRA (2402.09353) of the tiny UNet, trained through the merged weights W + BA.

`low` holds, per module, its factors: A (rank, inputs…), B (outputs, rank) and for DoRA the magnitude of every output.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.func import functional_call

from .diffusion import TinyDiffusion, noise_loss, tokens
from .loop import Figures, Schedule, train

LAYERS = re.compile(r"(?!mid_block).*(conv1|conv2)|.*(attn2\.to_k|to_v|to_out\.0)")


@dataclass
class Factors:
    down: torch.nn.Parameter
    up: torch.nn.Parameter
    magnitude: torch.nn.Parameter | None = None


Lora = Mapping[str, Factors]


def new(model: TinyDiffusion, rank: int, *, dora: bool = False) -> dict[str, Factors]:
    low = {}
    for name, module in model.unet.named_modules():
        if LAYERS.fullmatch(name) and isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            weight = module.weight
            down = torch.nn.Parameter(
                (torch.randn(rank, *weight.shape[1:]) / weight[0].numel() ** 0.5).to(weight.device)
            )
            up = torch.nn.Parameter(torch.zeros(weight.shape[0], rank, device=weight.device))
            low[name] = Factors(down, up, torch.nn.Parameter(_norms(weight).detach()) if dora else None)
    return low


def merged(model: TinyDiffusion, low: Lora, strength: float = 1.0) -> dict[str, torch.Tensor]:
    """The UNet's changed weights by name."""
    out = {}
    for name, f in low.items():
        weight = model.unet.get_submodule(name).weight.detach()
        changed = weight + strength * (f.up @ f.down.flatten(1)).view_as(weight).to(weight.device)
        if f.magnitude is not None:
            shape = (-1, *[1] * (weight.ndim - 1))
            changed = changed * (f.magnitude.to(weight.device).flatten() / _norms(changed).flatten().detach()).view(
                shape
            )
        out[f"{name}.weight"] = changed
    return out


def _norms(weight: torch.Tensor) -> torch.Tensor:
    """Length of each output's weights, (outputs,) for linear layers and (1, outputs, 1, 1) for convolutions, as peft keeps it."""
    norms = weight.flatten(1).norm(dim=1)
    return norms if weight.ndim == 2 else norms[None, :, None, None]


def fit(
    model: TinyDiffusion,
    pictures: tuple[torch.Tensor, Sequence[str]],
    schedule: Schedule,
    work: Path,
    *,
    name: str,
    rank: int = 4,
    dora: bool = False,
    emphasis: float = 1.0,
) -> tuple[dict[str, Factors], Figures]:
    """`pictures`: latents (N, 4, 16, 16) and their captions."""
    latents, captions = pictures
    torch.manual_seed(schedule.seed)
    low = new(model, rank, dora=dora)
    unet, text = _Merged(model, low), _frozen(model.text)
    ids, empty = tokens(model.tokenizer, captions), tokens(model.tokenizer, [""])
    loss = noise_loss(unet, text, latents, ids, schedule.batch, empty, emphasis)  # type: ignore[arg-type]  # called, never inspected
    weights = [w for f in low.values() for w in (f.down, f.up, f.magnitude) if w is not None]
    return low, train(weights, loss, schedule, work / "train" / f"{name}.pt")


class _Merged:
    """A UNet's forward through the merged weights."""

    def __init__(self, model: TinyDiffusion, low: Lora):
        self.model, self.low = model, low
        self.model.unet.requires_grad_(False)

    def __call__(self, *inputs: torch.Tensor):  # diffusers' own output type
        return functional_call(self.model.unet, merged(self.model, self.low), inputs)


def _frozen(text: torch.nn.Module) -> torch.nn.Module:
    return text.requires_grad_(False).eval()


def delta_norm(low: Lora) -> float:
    return float(np.sqrt(sum(float((f.up @ f.down.flatten(1)).detach().square().sum()) for f in low.values())))
