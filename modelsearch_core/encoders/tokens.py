"""Texts as an encoder reads them: numbers, cut to its context.

One form for open_clip's own tokenizer and those of transformers, whichever version of either is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

Tokenizer = Callable[[Sequence[str]], torch.Tensor]
CONTEXT = 77


def of_folder(folder: Path, text: Mapping[str, Any]) -> Tokenizer:
    """By a model's folder and its `text_cfg`: CLIP's words from `vocab.json` and `merges.txt`, else what
    `hf_tokenizer_name` announces, else open_clip's own."""
    context = int(text.get("context_length", CONTEXT))
    if (folder / "merges.txt").is_file() and (folder / "vocab.json").is_file():
        return _of_words(folder, context)
    if text.get("hf_tokenizer_name"):
        return _with_context(_of_transformers(folder, context, text), context)
    import open_clip

    return _with_context(open_clip.tokenize, context)


def of_architecture(architecture: str, text: Mapping[str, Any]) -> Tokenizer:
    """open_clip's for one of its architectures."""
    import open_clip

    return _with_context(open_clip.get_tokenizer(architecture), int(text.get("context_length", CONTEXT)))


def _with_context(tokenizer: Any, context: int) -> Tokenizer:
    return lambda texts: tokenizer(list(texts), context_length=context)


def _of_transformers(folder: Path, context: int, text: Mapping[str, Any]) -> Any:
    from open_clip.tokenizer import HFTokenizer

    tokenizer: Any = HFTokenizer(str(folder), **text.get("tokenizer_kwargs", {}))
    tokenizer.context_length = context
    return tokenizer


def _of_words(folder: Path, context: int) -> Tokenizer:
    """transformers' CLIPTokenizer, padded with zeros after the end as open_clip's own tokenizer pads."""
    from transformers import CLIPTokenizer

    tokenizer: Any = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token="!")

    def tokens(texts: Sequence[str]) -> torch.Tensor:
        found = tokenizer(list(texts), padding="max_length", truncation=True, max_length=context, return_tensors="pt")
        return found.input_ids * found.attention_mask

    return tokens
