"""What a checkpoint predicts, noise or velocity, and whether its schedule ends in pure noise.

SDXL merges say so by the empty tensors `v_pred` and `ztsnr` (NoobAI's convention, read by ComfyUI and others). Stable
Diffusion 2 has no mark; ComfyUI's rule is used: the first norm of the last attention block spreads more in models that
predict velocity.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .tensors import metadata_of, shapes_of, some_tensors

SD2_MARK = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
SD2_SPREAD = 0.09


@dataclass(frozen=True)
class Prediction:
    """`zero_snr`: the last step of the schedule is pure noise."""

    velocity: bool = False
    zero_snr: bool = False

    @property
    def scheduler_config(self) -> dict[str, object]:
        return {
            "prediction_type": "v_prediction" if self.velocity else "epsilon",
            "rescale_betas_zero_snr": self.zero_snr,
        }


def prediction_of(path: Path, architecture: str) -> Prediction:
    """Of a single-file checkpoint in the original layout."""
    if architecture == "sd2":
        mark = some_tensors(path, [SD2_MARK]).get(SD2_MARK)
        return Prediction(velocity=mark is not None and bool(mark.float().std(unbiased=False) > SD2_SPREAD))
    if architecture != "sdxl":
        return Prediction()
    names = shapes_of(path)
    velocity = "v_pred" in names or metadata_of(path).get("modelspec.prediction_type") == "v"
    return Prediction(velocity=velocity, zero_snr=velocity and "ztsnr" in names)
