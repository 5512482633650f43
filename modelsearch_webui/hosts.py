"""Which WebUI this is, and where it keeps what it lists: SD.Next went ways of its own."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import Any

from modules import sd_models

LORA_LISTS = ("networks", "modules.lora.lora_load", "modules.lora.networks")  # the first is an extension's


@cache
def is_sdnext() -> bool:
    return importlib.util.find_spec("modules.sd_checkpoint") is not None  # it split its sd_models


def loras() -> Any:
    """The module that lists LoRA; None where it is not loaded. An extension's folder is on the path only then."""
    loaded = (sys.modules.get(name) for name in LORA_LISTS)
    return next((module for module in loaded if hasattr(module, "available_networks")), None)


def checkpoints() -> Any:
    """The module that lists checkpoints."""
    return sys.modules["modules.sd_checkpoint"] if is_sdnext() else sd_models
