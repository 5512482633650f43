"""Reference-only attention: a UNet of Stable Diffusion that looks at a drawing while it paints.

At each denoising step the drawing's latent, noised to the step's level with noise of its own, runs through the same
UNet (the write pass); what enters each self-attention there is appended to the keys and values of the picture's own
(the read pass). Lvmin Zhang's "reference-only" of ControlNet, as "Image-Generation AI Model Retrieval by Contrastive
Learning-based Style Distance Calculation" uses it to see what a LoRA makes of a line drawing.

share (rows): how far a row attends to the drawing, 0 to 1. `weight` for a conditional row; for an unconditional one
weight·(1 − style fidelity), so that guidance follows the drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

Tensor = torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Latents and noise of B drawings, (B, 4, h, w) each, for B pictures."""

    latents: Tensor
    noise: Tensor
    weight: float = 1.0
    style_fidelity: float = 0.5

    def __post_init__(self) -> None:
        if self.latents.shape != self.noise.shape:
            raise ValueError(f"latents {tuple(self.latents.shape)} and noise {tuple(self.noise.shape)} differ in shape")
        for name in ("weight", "style_fidelity"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}")

    def shares(self, rows: int) -> Tensor:
        """(rows,) for B rows, or for 2B of which the first half is unconditional."""
        B = len(self.latents)
        if rows not in (B, 2 * B):
            raise ValueError(f"{rows} rows for {B} drawings; there must be as many, or twice as many with guidance")
        free = [self.weight * (1 - self.style_fidelity)] * (rows - B)
        return torch.tensor(free + [self.weight] * B)

    def noised(self, alpha: Tensor, like: Tensor) -> Tensor:
        """√ᾱ·latents + √(1−ᾱ)·noise, as many rows as `like`; ᾱ (1,)."""
        latents = alpha.sqrt() * self.latents.double() + (1 - alpha).sqrt() * self.noise.double()
        return latents.repeat(len(like) // len(latents), 1, 1, 1).to(like)


@contextmanager
def reference_only(unet: Any, alphas_cumprod: Tensor, reference: Reference) -> Generator[None]:
    """Inside, `unet` paints after the drawings; afterwards it is as before. With weight 0 nothing is touched.

    `alphas_cumprod` is the noise schedule that the model was trained on. ValueError for a network without
    self-attention processors that can be exchanged.
    """
    if reference.weight == 0:
        yield
        return
    originals = dict(unet.attn_processors)
    written = _Written()
    unet.set_attn_processor({name: _processor(name, own, written) for name, own in originals.items()})
    write = _write_pass(unet, alphas_cumprod, reference, written)
    hook = unet.register_forward_pre_hook(write, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
        unet.set_attn_processor(originals)


def noise_level(alphas_cumprod: Tensor, timestep: Tensor | float) -> Tensor:
    """ᾱ at a timestep, (1,) in double precision; in between, log-linear in σ² = (1−ᾱ)/ᾱ, as samplers have it.

    Samplers that scale their inputs and those that do not give a UNet the same: √ᾱ·x + √(1−ᾱ)·noise.
    """
    t = torch.as_tensor(timestep, dtype=torch.float64).reshape(-1)[:1].cpu()
    alphas = alphas_cumprod.double().cpu().clamp(min=1e-12)
    low = t.floor().long().clamp(0, len(alphas) - 1)
    high = (low + 1).clamp(max=len(alphas) - 1)
    sigma2 = ((1 - alphas) / alphas).clamp(min=1e-30).log()
    between = torch.lerp(sigma2[low], sigma2[high], (t - low).clamp(0, 1))
    return 1 / (1 + between.exp())


@dataclass
class _Written:
    """What the write pass saw at each self-attention. `writing` tells which pass this is."""

    writing: bool = False
    tokens: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    shares: Tensor = field(default_factory=lambda: torch.ones(1))


def _write_pass(
    unet: Any, alphas_cumprod: Tensor, reference: Reference, written: _Written
) -> Callable[[Any, tuple[Any, ...], dict[str, Any]], None]:
    def write(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = {"sample": kwargs.get("sample"), "timestep": kwargs.get("timestep")}
        sample, timestep = (*args, *[value for value in given.values() if value is not None])[:2]
        noised = reference.noised(noise_level(alphas_cumprod, timestep).to(reference.latents.device), sample)
        rest = {name: value for name, value in kwargs.items() if name not in given}
        written.tokens.clear()
        written.shares = reference.shares(len(sample)).to(sample)
        written.writing = True
        try:
            unet.forward(noised, timestep, *args[2:], **rest)
        finally:
            written.writing = False

    return write


def _processor(name: str, own: Any, written: _Written) -> Any:
    """Self-attention is `attn1` of a transformer block; what attends to the prompt stays as it is."""
    return _ReferenceAttention(name, own, written) if name.endswith("attn1.processor") else own


class _ReferenceAttention:
    """A processor around the layer's own one, which does the arithmetic (and knows about memory)."""

    def __init__(self, name: str, own: Any, written: _Written) -> None:
        self._name, self._own, self._written = name, own, written

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, *args: Any, **kwargs: Any
    ) -> Tensor:
        if self._written.writing:
            self._written.tokens[self._name] = hidden_states
            return self._own(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        context = torch.cat([hidden_states, self._written.tokens[self._name]], dim=1)
        seen = self._own(attn, hidden_states, context, *args, **kwargs)
        shares = self._written.shares
        if bool((shares == 1).all()):
            return seen
        plain = self._own(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        return torch.lerp(plain, seen, shares.view(-1, 1, 1))
