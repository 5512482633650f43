"""The core's samplers in the words of the WebUIs. Where one has no such sampler it takes another unasked, or fails."""

from __future__ import annotations

from modules import processing, sd_samplers

from modelsearch_core.errors import ModelSearchError

SAMPLERS = {  # the core's names: the WebUIs' sampler and scheduler
    "dpmpp_2m": ("DPM++ 2M", "Karras"),
    "own": ("Euler", "Simple"),
    "euler_trailing": ("Euler", "SGM Uniform"),
    "ddim_trailing": ("Euler", "SGM Uniform"),  # the same without noise of its own; their DDIM knows no scheduler
    "lcm": ("LCM", "SGM Uniform"),
    "tcd": ("LCM", "SGM Uniform"),  # no WebUI but SD.Next has TCD
}


def label(name: str) -> str:
    """What a probe set says of the core's sampler."""
    return " ".join(SAMPLERS[name])


def labelled(label: str) -> tuple[str, str]:
    """Sampler and scheduler of such a label."""
    return next(names for names in SAMPLERS.values() if " ".join(names) == label)


def name_here(sampler: str, scheduler: str) -> str:
    """The sampler's name in this WebUI: in Classic the scheduler is a part of it. ModelSearchError where there is no
    such sampler."""
    names = [sampler]
    if not hasattr(processing.StableDiffusionProcessingTxt2Img, "scheduler"):
        names = [f"{sampler} {scheduler}", f"{sampler} {scheduler.replace(' ', '')}", sampler]
    found = next(filter(sd_samplers.find_sampler_config, names), None)
    if found is None:
        raise ModelSearchError(f"this WebUI has no sampler {sampler!r}")
    return found
