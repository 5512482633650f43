"""Reference-only attention in ComfyUI's engine: a UNet that looks at a drawing while it paints.

The same computation as the core's `generators.reference_only`, through ComfyUI's own patches: at each step the
drawing's latent, noised to the step's level with noise of its own, runs through the same UNet (the write pass); what
enters each self-attention there is appended to the keys and values of the picture's own (the read pass).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from comfy.ldm.modules.attention import optimized_attention

from ..modelsearch_core.errors import UnsupportedReferenceError
from ..modelsearch_core.generators.reference_only import Reference

Tensor = torch.Tensor
WRITTEN = "modelsearch_reference"  # under this name the written reaches the patches
UNCONDITIONAL = 1  # in ComfyUI's `cond_or_uncond`


def with_reference(model: Any, reference: Reference) -> Any:
    """A clone of a MODEL that paints after the drawings; the MODEL itself where their weight is 0.

    Latents and noise are on the scale of the model's own. UnsupportedReferenceError for what is no UNet.
    """
    if reference.weight == 0:
        return model
    patched = model.clone()
    patched.set_model_unet_function_wrapper(_two_passes(model.get_model_object("model_sampling"), reference))
    patched.set_model_attn1_patch(_append)
    for block, number in _blocks(model.get_model_object("diffusion_model")):
        patched.set_model_attn1_replace(_attend, block, number)
    return patched


@dataclass
class _Written:
    """What the write pass saw at each self-attention. `shares` (rows,): how far each row attends to the drawing."""

    shares: Tensor
    writing: bool = True
    tokens: dict[Any, Tensor] = field(default_factory=dict[Any, Tensor])


def _blocks(unet: Any) -> Iterator[tuple[str, int]]:
    if not hasattr(unet, "input_blocks"):
        raise UnsupportedReferenceError(
            f"reference-only attention is not supported for {type(unet).__name__}, using prompts only; it needs a UNet"
        )
    yield from (("input", number) for number in range(len(unet.input_blocks)))
    yield "middle", 0
    yield from (("output", number) for number in range(len(unet.output_blocks)))


def _two_passes(sampling: Any, reference: Reference) -> Callable[[Callable[..., Tensor], dict[str, Any]], Tensor]:
    """A closure: ComfyUI copies whatever else lies in a model's options whenever it clones the model."""

    def run(apply_model: Callable[..., Tensor], args: dict[str, Any]) -> Tensor:
        x, sigma, given, chunks = args["input"], args["timestep"], args["c"], args["cond_or_uncond"]
        written = _Written(_shares(reference, chunks, len(x)).to(x))
        options = {**given["transformer_options"], WRITTEN: written}
        latents, noise = (each.to(x).repeat(len(chunks), 1, 1, 1) for each in (reference.latents, reference.noise))
        plain = {name: value for name, value in given.items() if name != "control"}  # whose parts are used up
        apply_model(sampling.noise_scaling(sigma, noise, latents), sigma, **{**plain, "transformer_options": options})
        written.writing = False
        return apply_model(x, sigma, **{**given, "transformer_options": options})

    return run


def _shares(reference: Reference, chunks: Sequence[int], rows: int) -> Tensor:
    """(rows,): `weight` for conditional rows, weight·(1 − style fidelity) for unconditional ones."""
    B = len(reference.latents)
    if rows != B * len(chunks):
        raise ValueError(f"{rows} rows for {B} drawings in {len(chunks)} parts")
    free = reference.weight * (1 - reference.style_fidelity)
    return torch.tensor([free if kind == UNCONDITIONAL else reference.weight for kind in chunks]).repeat_interleave(B)


def _append(n: Tensor, context: Tensor, value: Tensor, extra: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Before keys and values are projected."""
    written, place = extra[WRITTEN], (extra["block"], extra["block_index"])
    if written.writing:
        written.tokens[place] = n
        return n, context, value
    seen = written.tokens[place]
    return n, torch.cat([context, seen], dim=1), torch.cat([value, seen], dim=1)


def _attend(q: Tensor, k: Tensor, v: Tensor, extra: dict[str, Any]) -> Tensor:
    """With the drawing, without it, or in between."""
    written, heads, options = extra[WRITTEN], extra["n_heads"], {"attn_precision": extra["attn_precision"]}
    seen = optimized_attention(q, k, v, heads, **options)
    if written.writing or bool((written.shares == 1).all()):
        return seen
    own = q.shape[1]
    plain = optimized_attention(q, k[:, :own], v[:, :own], heads, **options)
    return torch.lerp(plain, seen, written.shares.to(plain).view(-1, 1, 1))
