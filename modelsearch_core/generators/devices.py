"""Where to compute, and how precisely."""

from __future__ import annotations

import gc

import torch

from ..errors import ModelSearchError
from .settings import GeneratorSettings

PIXELS_AT_ONCE = {"cuda": 8 * 512**2, "mps": 2 * 512**2, "cpu": 16 * 64**2}  # batches halve where memory is smaller


def device_of(settings: GeneratorSettings) -> str:
    """The device asked for, or the best there is. Raises ModelSearchError for one that is not there."""
    there = [name for name, is_there in _available() if is_there]
    if settings.device == "auto":
        return there[0]
    if settings.device.split(":")[0] not in there:
        raise ModelSearchError(
            f"no device {settings.device} here; there is {', '.join(there)}: choose one with --device"
        )
    return settings.device


def _available() -> list[tuple[str, bool]]:
    return [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()), ("cpu", True)]


def precision_of(settings: GeneratorSettings, architecture: str) -> str:
    """Half precision wherever there is a graphics card: bfloat16 for the large transformers, which overflow float16."""
    if settings.precision:
        return settings.precision
    if (settings.planned_for or device_of(settings)) == "cpu":
        return "float32"
    return "float16" if architecture.startswith("sd") and architecture != "sd3" else "bfloat16"


def batch_size(settings: GeneratorSettings, pixels: int) -> int:
    return settings.batch or max(1, PIXELS_AT_ONCE[device_of(settings).split(":")[0]] // pixels)


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a class for it, MPS and the CPU only words."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in str(error).lower() for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def free_bytes(device: torch.device) -> int:
    """Of a card's memory; none of one that does not tell."""
    if device.type != "cuda":
        return 0
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
