"""Small CLIP models with random weights, in the forms in which users have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

WORDS = ("red", "green", "cat", "dog", "picture")
MODEL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESSING = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "resize_mode": "shortest"}


def model_config(**changed: Any) -> dict[str, Any]:
    return deepcopy({**MODEL, **changed})


def clip_folder(
    folder: Path,
    *,
    own_words: bool = False,
    seed: int = 0,
    model: Mapping[str, Any] = MODEL,
    **preprocessing: Any,
) -> Path:
    """A folder in open_clip's `local-dir` form, with open_clip's own tokenizer or with a vocabulary of a few words."""
    folder.mkdir(parents=True, exist_ok=True)
    config = deepcopy(dict(model))
    if own_words:
        config["text_cfg"] |= {"vocab_size": save_words(folder), "hf_tokenizer_name": "."}
    record = {"model_cfg": config, "preprocess_cfg": {**PREPROCESSING, **preprocessing}}
    (folder / "open_clip_config.json").write_text(json.dumps(record), encoding="utf-8")
    save_file(random_state(config, seed), folder / "open_clip_model.safetensors")
    return folder


def random_state(config: dict[str, Any], seed: int = 0) -> dict[str, torch.Tensor]:
    """The state of an open_clip model with features that differ from picture to picture and from text to text."""
    torch.manual_seed(seed)
    text = {key: value for key, value in config["text_cfg"].items() if key != "hf_tokenizer_name"}
    state = open_clip.CLIP(**{**config, "text_cfg": text}).state_dict()
    return {key: _lively(key, value).contiguous() for key, value in state.items()}


def _lively(key: str, value: torch.Tensor) -> torch.Tensor:
    return torch.randn_like(value) if "embedding" in key or "conv1" in key else value


def save_words(folder: Path) -> int:
    """`vocab.json` and `merges.txt` of CLIP's form that know `WORDS` as whole; the size of the vocabulary."""
    from open_clip.tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    merges: dict[tuple[str, str], None] = {}
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges[(parts[0], parts[1])] = None
            parts = [parts[0] + parts[1], *parts[2:]]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(vocabulary)}), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(vocabulary)
