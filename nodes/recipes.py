"""The core's recipes in the words of ComfyUI's samplers."""

from __future__ import annotations

from dataclasses import dataclass

from ..modelsearch_core.families import FAMILIES
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


def sampling_of(probe_set: ProbeSet, architecture: str) -> Sampling:
    sampler, scheduler = SAMPLERS[probe_set.sampler]
    embedded = architecture in FAMILIES and FAMILIES[architecture].embeds_guidance
    return Sampling(
        sampler=sampler,
        scheduler=scheduler,
        cfg=1.0 if embedded else probe_set.guidance,
        embedded=probe_set.guidance if embedded else None,
        is_noisy=sampler == "lcm",
    )
