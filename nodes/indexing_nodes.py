"""Index Models, and the node that indexes one model for the background job."""

from __future__ import annotations

from typing import Any

from ..modelsearch_core.indexing import IndexSettings
from .host import host
from .sockets import CATEGORY


class IndexOne:
    """Not for people: the job queues it."""

    CATEGORY = f"{CATEGORY}/internal"
    DESCRIPTION = "Generates one model's pictures for the index. Model Search queues it by itself."
    DEPRECATED = True  # keeps it out of the node search
    DEV_ONLY = True
    OUTPUT_NODE = True
    FUNCTION = "work"
    RETURN_TYPES = ()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "model": ("STRING", {"default": ""}),
                "samples": ("INT", {"default": 0, "min": 0, "max": 1024}),
                "refresh": ("BOOLEAN", {"default": False}),
            }
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> float:
        return float("nan")

    def work(self, model: str, samples: int, refresh: bool) -> dict[str, Any]:
        outcome = host().indexer.work(model, IndexSettings(samples=samples or None, refresh=refresh))
        if outcome == "cancelled":
            raise_interrupted()
        return {"ui": {"text": [outcome]}}


def raise_interrupted() -> None:
    """What ComfyUI expects of a node that was cancelled."""
    from comfy.model_management import InterruptProcessingException

    raise InterruptProcessingException
