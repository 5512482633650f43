"""Which device to run on."""

from __future__ import annotations

import torch


def best_device(wanted: str = "auto") -> torch.device:
    """The device of that name; for `auto` a CUDA card, else Apple's, else the CPU."""
    if wanted != "auto":
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    mps = getattr(torch.backends, "mps", None)
    return torch.device("mps" if mps is not None and mps.is_available() else "cpu")
