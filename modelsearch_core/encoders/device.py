"""Which device to run on."""

from __future__ import annotations

import torch

from ..errors import ModelSearchError


def best_device(wanted: str = "auto") -> torch.device:
    """The device of that name; for `auto` a CUDA card, else Apple's, else the CPU. ModelSearchError where it is not."""
    if wanted != "auto":
        return _named(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    mps = getattr(torch.backends, "mps", None)
    return torch.device("mps" if mps is not None and mps.is_available() else "cpu")


def _named(wanted: str) -> torch.device:
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except Exception as error:  # torch has another one for each way in which there is none
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelSearchError(
            f"no device {wanted} here ({reason[:200]}); leave --device out to take the best there is"
        ) from error
    return device
