"""CLIP through open_clip: any of its models, with weights from disk, a cache or one download."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import load_file

from ..embedding import Features, unit
from ..errors import MissingWeightsError, ModelSearchError
from . import weights
from .device import best_device
from .preparation import pixels

CONFIG = "open_clip_config.json"
BATCH = 32
OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

Tokenizer = Callable[[Sequence[str]], torch.Tensor]


class ClipEncoder:
    """An open_clip model in evaluation mode."""

    def __init__(
        self, model: torch.nn.Module, tokenizer: Tokenizer, name: str, device: torch.device, normalisation: Any = None
    ) -> None:
        self.name = name
        self._device = device
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._model: Any = model.eval().requires_grad_(False).to(device=device, dtype=self._dtype)
        self._tokenizer = tokenizer
        mean, std = normalisation or (OPENAI_MEAN, OPENAI_STD)
        self._mean, self._std = (np.array(values, np.float32)[:, None, None] for values in (mean, std))
        self._size = _side(self._model.visual.image_size)
        self.dimension = len(self.encode_texts(["a"])[0])

    @classmethod
    def open(cls, source: str, *, device: str = "auto") -> ClipEncoder:
        """From a folder with an `open_clip_config.json`, or `architecture/weights` (a tag of open_clip or a file)."""
        folder = Path(source).expanduser()
        if (folder / CONFIG).is_file():
            return cls._from_folder(folder, best_device(device))
        architecture, _, tag = source.partition("/")
        if architecture not in open_clip.list_models():
            raise ModelSearchError(
                f"{source!r} is neither a folder with an {CONFIG} nor an open_clip model; "
                "write it as architecture/weights, for instance ViT-B-32-quickgelu/openai"
            )
        return cls._from_tag(architecture, tag or "openai", best_device(device))

    @classmethod
    def _from_folder(cls, folder: Path, device: torch.device) -> ClipEncoder:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model_config = dict(config["model_cfg"])
        text_config = {k: v for k, v in model_config["text_cfg"].items() if not k.startswith("hf_tokenizer")}
        model: Any = open_clip.CLIP(**{**model_config, "text_cfg": text_config})
        file = next((path for path in sorted(folder.glob("*.safetensors"))), None)
        if file is None:
            raise MissingWeightsError(f"{folder} has an {CONFIG} but no .safetensors file with the weights")
        model.load_state_dict(load_file(file))
        tokenizer = _folder_tokenizer(folder, text_config["context_length"])
        preprocessing = config.get("preprocess_cfg", {})
        normalisation = preprocessing.get("mean", OPENAI_MEAN), preprocessing.get("std", OPENAI_STD)
        name = f"{folder.name}:{_short_hash(file)}"
        return cls(model, tokenizer, name, device, normalisation)

    @classmethod
    def _from_tag(cls, architecture: str, tag: str, device: torch.device) -> ClipEncoder:
        file = Path(tag) if Path(tag).is_file() else weights.clip_weights(architecture, tag)
        model: Any = open_clip.create_model(architecture, pretrained=None)
        model.load_state_dict(_state(file), strict=True)
        settings = open_clip.get_pretrained_cfg(architecture, tag) or {}
        normalisation = settings.get("mean", OPENAI_MEAN), settings.get("std", OPENAI_STD)
        name = f"{architecture}:{_short_hash(file)}"
        return cls(model, open_clip.get_tokenizer(architecture), name, device, normalisation)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """(n, D) float32, unit rows."""
        parts = [self._encode_pixels(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *parts])

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """(n, D) float32, unit rows; what is longer than the context is cut."""
        parts = [self._encode_tokens(texts[start : start + 4 * BATCH]) for start in range(0, len(texts), 4 * BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    @torch.inference_mode()
    def _encode_pixels(self, images: Sequence[Image.Image]) -> Features:
        batch = np.stack([(pixels(image, self._size) - self._mean) / self._std for image in images])
        return _rows(self._model.encode_image(torch.from_numpy(batch).to(self._device, self._dtype)))

    @torch.inference_mode()
    def _encode_tokens(self, texts: Sequence[str]) -> Features:
        return _rows(self._model.encode_text(self._tokenizer(list(texts)).to(self._device)))


def _rows(features: torch.Tensor) -> Features:
    return unit(features.float().cpu().numpy()).astype(np.float32)


def _side(size: int | tuple[int, int]) -> int:
    return size if isinstance(size, int) else int(size[0])


def _folder_tokenizer(folder: Path, context: int) -> Tokenizer:
    """transformers' CLIPTokenizer on the folder's vocab.json and merges.txt, padded with zeros as CLIP is."""
    from transformers import CLIPTokenizer

    tokenizer: Any = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token="!")

    def tokens(texts: Sequence[str]) -> torch.Tensor:
        found = tokenizer(list(texts), padding="max_length", truncation=True, max_length=context, return_tensors="pt")
        return found.input_ids * found.attention_mask  # 0 after the end, as open_clip's own tokenizer pads

    return tokens


def _state(file: Path) -> dict[str, torch.Tensor]:
    if file.suffix == ".safetensors":
        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)


def _short_hash(file: Path) -> str:
    """8 hex digits of a file's size and of 16 blocks spread over it."""
    size, digest = file.stat().st_size, hashlib.sha256()
    digest.update(str(size).encode())
    with file.open("rb") as stream:
        for block in range(16):
            stream.seek(size * block // 16)
            digest.update(stream.read(4096))
    return digest.hexdigest()[:8]
