"""CLIP through open_clip: any of its models, with weights from disk, a cache or one download.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", arXiv 2103.00020.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..embedding import Features, unit
from ..errors import ModelSearchError
from .clip_sources import Source
from .device import best_device
from .preparation import Preparation
from .tokens import Tokenizer
from .weights import digest_of

BATCH = 32


class ClipEncoder:
    """A CLIP model in evaluation mode. Rows do not depend on what else is in a batch."""

    def __init__(
        self, model: torch.nn.Module, tokenizer: Tokenizer, prepare: Preparation, name: str, device: torch.device
    ) -> None:
        self.name = name
        self.device = device  # where inputs go; a host that moves `model` itself sets it
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self.model: Any = model.eval().requires_grad_(False).to(device=device, dtype=self._dtype)
        self._tokenizer = tokenizer
        self._prepare = prepare
        self.dimension = len(self.encode_texts(["a"])[0])

    @classmethod
    def of(cls, source: Source, device: str = "auto") -> ClipEncoder:
        """Loads what `source` has found. ModelSearchError if weights and architecture do not belong together."""
        name = f"{source.architecture}:{fingerprint(source.weights, source.preparation, source.config)}"
        return cls(source.model(), source.tokenizer(), source.preparation, name, best_device(device))

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """(n, D) float32, unit rows."""
        return self._batched(self._of_images, images, BATCH)

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """(n, D) float32, unit rows; what is longer than the context is cut."""
        return self._batched(self._of_texts, texts, 4 * BATCH)

    def _batched(self, encode: Callable[[Any], torch.Tensor], items: Sequence[Any], size: int) -> Features:
        parts = [self._finite(encode, items[start : start + size]) for start in range(0, len(items), size)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    def _finite(self, encode: Callable[[Any], torch.Tensor], items: Sequence[Any]) -> Features:
        """Some models overflow float16: they are computed in float32 from when that shows. ModelSearchError for
        weights that give no numbers even so, which no index may hold."""
        with torch.inference_mode():
            features = encode(items)
            if self._dtype == torch.float16 and not features.isfinite().all():
                self._dtype = torch.float32
                self.model.to(dtype=self._dtype)
                features = encode(items)
        if not features.isfinite().all():
            raise ModelSearchError(f"{self.name} answers with no numbers; its weights are damaged: take another file")
        return _rows(features)

    def _of_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        return self.model.encode_image(torch.from_numpy(self._prepare(images)).to(self.device, self._dtype))

    def _of_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return self.model.encode_text(self._tokenizer(list(texts)).to(self.device))


def fingerprint(file: Path, preparation: Preparation, config: Mapping[str, Any]) -> str:
    """8 hex digits of a weights file's size and blocks spread over it, its layers, and how pictures are prepared."""
    facts = file.stat().st_size, *preparation.mean, *preparation.std, preparation.squash, int(preparation.filter)
    return digest_of(file, repr(facts).encode() + json.dumps(config, sort_keys=True, default=str).encode())


def _rows(features: torch.Tensor) -> Features:
    return unit(features.float().cpu().numpy()).astype(np.float32)
