"""CLIP in ComfyUI's memory management: on the card while it encodes, and only if there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import comfy.model_management as memory
from comfy.model_patcher import ModelPatcher
from PIL import Image

from ..modelsearch_core.embedding import Features


class ManagedEncoder:
    """A `ClipEncoder` of the core, lent to ComfyUI."""

    def __init__(self, encoder: Any) -> None:
        self.name, self.dimension = encoder.name, encoder.dimension
        self._encoder = encoder
        self._patcher = ModelPatcher(encoder.model, memory.get_torch_device(), memory.text_encoder_offload_device())

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        return self._loaded().encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Features:
        return self._loaded().encode_texts(texts)

    def _loaded(self) -> Any:
        memory.load_models_gpu([self._patcher], force_full_load=True)
        self._encoder.device = self._patcher.load_device
        return self._encoder
