"""A picture in one sentence by BLIP (Li et al., arXiv 2201.12086), where its weights are on disk already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from .device import best_device
from .preparation import rgb

MODELS = "Salesforce/blip-image-captioning-large", "Salesforce/blip-image-captioning-base"
BATCH = 8
TOKENS = 32
BEAMS = 3


class BlipCaptioner:
    """transformers' BLIP. Never downloads."""

    def __init__(self, model: Any, processor: Any, device: torch.device) -> None:
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._device = device
        self._model = model.eval().to(device=device, dtype=self._dtype)
        self._processor = processor

    @classmethod
    def of(cls, source: str | Path, device: str = "auto") -> BlipCaptioner:
        """From a folder in transformers' form or the hub's cache. OSError where there is none."""
        from transformers import BlipForConditionalGeneration, BlipProcessor

        local: dict[str, Any] = {"local_files_only": True}
        model: Any = BlipForConditionalGeneration.from_pretrained(str(source), use_safetensors=True, **local)
        return cls(model, BlipProcessor.from_pretrained(str(source), **local), best_device(device))

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """One sentence for each picture."""
        parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
        return [caption for part in parts for caption in self._of_batch(part)]

    @torch.inference_mode()
    def _of_batch(self, images: Sequence[Image.Image]) -> list[str]:
        pixels = self._processor.image_processor([rgb(image) for image in images], return_tensors="pt").pixel_values
        tokens = self._model.generate(
            pixel_values=pixels.to(self._device, self._dtype), max_new_tokens=TOKENS, num_beams=BEAMS
        )
        return [text.strip() for text in self._processor.batch_decode(tokens, skip_special_tokens=True)]


def local_captioner(device: str = "auto") -> BlipCaptioner | None:
    """The best BLIP that is on disk."""
    for source in filter(_in_cache, MODELS):
        try:
            return BlipCaptioner.of(source, device)
        except (OSError, ImportError, ValueError):  # incomplete, or only as a pickle
            continue
    return None


def _in_cache(source: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(source, "model.safetensors"), str)
