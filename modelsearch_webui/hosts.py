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


def lora_called(name: str) -> Any:
    """The entry that `<lora:name:…>` applies, as this WebUI looks it up: a name that two share is a file's or none,
    but in SD.Next the newest's. None where there is none."""
    networks = loras()
    if networks is None:
        return None
    is_shared = name.lower() in networks.forbidden_network_aliases and not is_sdnext()
    return (networks.available_networks if is_shared else networks.available_network_aliases).get(name)


def checkpoints() -> Any:
    """The module that lists checkpoints."""
    return sys.modules["modules.sd_checkpoint"] if is_sdnext() else sd_models
