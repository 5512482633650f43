"""What a user may choose about generation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings:
    """None means: as `recipes` says for the architecture, or as the device allows.

    `base` is put under every LoRA of its architecture, others get the best local match (see `bases`). `decoders` are
    folders where TAESD may lie (`vae_approx`). Size, steps, guidance, precision and lora_weight change the pictures, so
    they change the probe set's digest; device and batch do not, but for the precision that suits a device.
    """

    device: str = "auto"  # auto, cuda, cuda:1, mps, cpu
    planned_for: str | None = None  # cuda, mps, cpu: where another machine's device generates what is planned here
    precision: str | None = None  # float32, float16, bfloat16
    size: int | None = None  # pixels, width and height
    steps: int | None = None
    guidance: float | None = None
    batch: int | None = None  # pictures at a time
    lora_weight: float = 1.0
    base: Path | None = None
    accelerator: bool = True  # use a few-step LoRA where one is found
    decoders: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.size is not None and (self.size < 64 or self.size % 64):
            raise ValueError(f"size must be a multiple of 64, not {self.size}")
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.precision not in (None, "float32", "float16", "bfloat16"):
            raise ValueError(f"precision must be float32, float16 or bfloat16, not {self.precision!r}")
