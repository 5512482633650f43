"""A base model's weights by the layers that LoRA name, mapped from its files: nothing is read but what is asked for.

Knows diffusers' folders, the original single files, bare diffusion models, and ComfyUI's files with text encoders.
Pickles, GGUF files and quantised weights give none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from safetensors import safe_open

from ..model_files.shards import files_of
from .joined_layers import Part, apart
from .layer_names import canonical
from .tensors import is_safetensors

PARTS = ("unet", "transformer", "text_encoder", "text_encoder_2")
_PLAIN = re.compile(r"(diffusion_pytorch_model|model)(-\d{5}-of-\d{5})?\.safetensors")
_HALF = re.compile(r"(diffusion_pytorch_model|model)\.fp16(-\d{5}-of-\d{5})?\.safetensors")
_NUMBERS = (torch.float16, torch.bfloat16, torch.float32)
_WEIGHT = re.compile(r"(.+?)(\.weight|(?<=in_proj)_weight)")
_STRANGE = re.compile(r"first_stage_model\.|vae\.|model_ema\.|logit_scale")
_TEXT = (  # starts of text encoders in single files, and whose they are
    (re.compile(r"conditioner\.embedders\.0\.(transformer\.|model\.)"), "text_encoder."),
    (re.compile(r"conditioner\.embedders\.1\.(transformer\.|model\.)"), "text_encoder_2."),
    (re.compile(r"cond_stage_model\.(transformer\.|model\.)"), "text_encoder."),
    (re.compile(r"text_encoders\.clip_l\.transformer\."), "text_encoder."),
    (re.compile(r"text_encoders\.clip_g\.transformer\."), "text_encoder_2."),
)
_OPEN_CLIP = re.compile(r"(text_encoder(?:_2)?\.)transformer\.resblocks\.(\d+)\.(.+)")
_IN_OPEN_CLIP = {"attn.out_proj": "self_attn_out_proj", "mlp.c_fc": "mlp_fc1", "mlp.c_proj": "mlp_fc2"}
_Found = tuple[Any, str, Part]  # file, tensor, layer with its rows of it


class BaseWeights:
    """Open files of one model; use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self._opened = ExitStack()
        self._found: dict[str, _Found] = {}
        try:
            for prefix, file in _files(path):
                self._look_into(prefix, self._opened.enter_context(safe_open(file, "pt")))
        except BaseException:
            self._opened.close()
            raise

    def __enter__(self) -> BaseWeights:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._found.clear()
        self._opened.close()

    def get(self, layer: str) -> torch.Tensor | None:
        """The weight of a layer as `joined_layers.apart` calls it, in the file's own precision and shape; None where
        there is none in plain numbers."""
        if layer not in self._found:
            return None
        file, tensor, (_, first, behind) = self._found[layer]
        whole = file.get_tensor(tensor)
        return whole[first:behind] if whole.dtype in _NUMBERS else None

    def _look_into(self, prefix: str, file: Any) -> None:
        names = set(file.keys())
        for tensor in names:
            found = _WEIGHT.fullmatch(tensor)
            if found is None or _STRANGE.match(tensor) or {f"{found[1]}.scale_weight", f"{tensor}_scale"} & names:
                continue  # the last: numbers of eight bits with their scale
            shape = file.get_slice(tensor).get_shape()
            if len(shape) > 1:
                for part in _parts(prefix + found[1], shape):
                    self._found[part[0]] = file, tensor, part


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """(what diffusers' names lack in front, file)."""
    if path.is_dir():
        for part in PARTS:
            there = sorted((path / part).glob("*.safetensors"))
            chosen = [file for file in there if _PLAIN.fullmatch(file.name)]
            for file in chosen or [file for file in there if _HALF.fullmatch(file.name)]:
                yield f"{part}.", file
    elif is_safetensors(path):
        yield from (("", file) for file in files_of(path))


def _parts(name: str, shape: list[int]) -> list[Part]:
    """What the tensor stands for, by the names of LoRA's layers."""
    for start, whose in _TEXT:
        name = start.sub(whose, name, count=1) if start.match(name) else name
    if found := _OPEN_CLIP.fullmatch(name):
        whose, block, layer = found.groups()
        start = f"{whose}encoder_layers_{block}_"
        if layer == "attn.in_proj":
            D = shape[0] // 3
            return [(f"{start}self_attn_{x}_proj", i * D, (i + 1) * D) for i, x in enumerate("qkv")]
        return [(start + _IN_OPEN_CLIP.get(layer, layer), 0, shape[0])]
    inputs = torch.Size(shape[1:]).numel()
    return apart(canonical(name), shape[0], inputs)
