"""Samplers by name, on the noise schedule that a pipeline came with. All are deterministic, given their generators."""

from __future__ import annotations

from typing import Any

import diffusers

_LAST_STEP = {"clip_sample": False, "set_alpha_to_one": False}  # as Stable Diffusion's own configurations say
_SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "dpmpp_2m": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "ddim_trailing": ("DDIMScheduler", _LAST_STEP | {"timestep_spacing": "trailing"}),
    "lcm": ("LCMScheduler", _LAST_STEP),
    "tcd": ("TCDScheduler", _LAST_STEP),
}
_ZERO_SNR = {"timestep_spacing": "trailing", "use_karras_sigmas": False}  # Karras's curve has no finite start there


def scheduler_for(name: str, own: Any) -> Any:
    """The scheduler called `name` on the noise schedule of a pipeline's own one; "own" is that one itself, afresh."""
    if name == "own":
        return type(own).from_config(own.config)
    class_name, changes = _SAMPLERS[name]
    changes = changes | _ZERO_SNR if own.config.get("rescale_betas_zero_snr") else changes
    return getattr(diffusers, class_name).from_config(own.config, **changes)
