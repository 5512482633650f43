"""The core's recipes in the words of ComfyUI's samplers."""

from __future__ import annotations

from dataclasses import dataclass

from ..modelsearch_core.probes import ProbeSet

SAMPLERS = {  # the core's name: (ComfyUI's sampler, its scheduler)
    "dpmpp_2m": ("dpmpp_2m", "karras"),
    "euler": ("euler", "normal"),
    "euler_trailing": ("euler", "sgm_uniform"),
    "ddim_trailing": ("euler", "sgm_uniform"),  # the same without noise of its own
    "lcm": ("lcm", "sgm_uniform"),
    "tcd": ("lcm", "sgm_uniform"),  # ComfyUI has no TCD
    "own": ("euler", "simple"),
}


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """`embedded` is guidance that goes into the network beside the text. `is_noisy` samplers draw for a whole batch at
    once, so that only a picture on its own is always the same."""

    sampler: str
    scheduler: str
    cfg: float
    embedded: float | None
    is_noisy: bool


def sampling_of(probe_set: ProbeSet, *, embeds_guidance: bool) -> Sampling:
    sampler, scheduler = SAMPLERS[probe_set.sampler]
    return Sampling(
        sampler=sampler,
        scheduler=scheduler,
        cfg=1.0 if embeds_guidance else probe_set.guidance,
        embedded=probe_set.guidance if embeds_guidance else None,
        is_noisy=sampler == "lcm",
    )
