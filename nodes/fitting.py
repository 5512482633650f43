"""Whether a LoRA fits a loaded model: how many of its layers really change a weight.

ComfyUI patches by name, and skips weights of another shape when they are used, in its log only; so its own patches are
tried here on tensors without data ("meta"), which costs nothing.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.lora
import comfy.sd
import comfy.utils
import torch

ENOUGH = 0.5  # of a LoRA's layers; text encoders that a model does without may be the rest
_FACTOR = re.compile(
    r"([._]lora[_.]|\.hada_|\.lokr_|\.oft_|\.alpha$|\.dora_scale$|\.diff(_b)?$|\.[wb]_norm$|\.[ab][12]\.weight$"
    r"|\.set_weight$|\.reshape_weight$).*"
)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """`changed` of the LoRA's `layers` change a weight; `refusal` is ComfyUI's word on the first that does not."""

    changed: int
    layers: int
    refusal: str = ""

    @property
    def fits(self) -> bool:
        return self.changed > 0 and self.changed >= ENOUGH * self.layers

    def why_not(self, name: str) -> str:
        refusal = f" ({self.refusal})" if self.refusal else ""
        return f"only {self.changed} of the {self.layers} layers of {name} fit the model{refusal}"


@dataclass(frozen=True, kw_only=True)
class Patched:
    """Clones of MODEL and CLIP with a LoRA in them; what was given stays as it is."""

    model: Any
    clip: Any
    fit: Fit


def patched(model: Any, clip: Any, lora: Path, on_model: float, on_clip: float) -> Patched:
    """`clip` may be None."""
    state = comfy.utils.load_torch_file(str(lora), safe_load=True)
    new_model, new_clip = comfy.sd.load_lora_for_models(model, clip, state, on_model, on_clip)
    pairs = [(model, new_model)]
    if clip is not None:
        pairs.append((clip.patcher, new_clip.patcher))
    return Patched(model=new_model, clip=new_clip, fit=fit_of(pairs, state))


def fit_of(pairs: Iterable[tuple[Any, Any]], state: Mapping[str, Any]) -> Fit:
    """`pairs`: model patchers without and with the LoRA whose tensors are `state`."""
    tried = [_tried(after.model, key, patch) for before, after in pairs for key, patch in _new(before, after)]
    refusals = [refusal for changes, refusal in tried if not changes]
    return Fit(changed=len(tried) - len(refusals), layers=layers_in(state), refusal=next(iter(refusals), ""))


def layers_in(names: Iterable[str]) -> int:
    """How many layers the tensors of a LoRA belong to, whoever wrote it; what is packed along does not count."""
    return len({_FACTOR.sub("", name) for name in names if _FACTOR.search(name)})


def _new(before: Any, after: Any) -> Iterator[tuple[str, Any]]:
    for key, patches in after.patches.items():
        yield from ((key, patch) for patch in patches[len(before.patches.get(key, ())) :])


def _tried(model: Any, key: str, patch: tuple[Any, ...]) -> tuple[bool, str]:
    """Whether it changes the weight at full strength, and what ComfyUI says if not."""
    shape = comfy.utils.get_attr(model, key).shape
    changes, refusal = _tried_on("meta", shape, key, patch)
    if changes or "meta tensor" not in refusal:
        return changes, refusal
    return _tried_on("cpu", shape, key, patch)  # BOFT decides by its values


def _tried_on(device: str, shape: Sequence[int], key: str, patch: tuple[Any, ...]) -> tuple[bool, str]:
    with torch.inference_mode(False), torch.no_grad(), _overheard() as said:  # ComfyUI's nodes run in inference mode
        weight = torch.zeros(tuple(shape), device=device)
        before = weight._version
        changed = comfy.lora.calculate_weight([(1.0, patch[1], 1.0, *patch[3:])], weight, key)
        return changed is not weight or changed._version > before, next(iter(said), "")


@contextmanager
def _overheard() -> Generator[list[str]]:
    """What this thread logs meanwhile, kept out of the log."""
    said: list[str] = []
    thread = threading.get_ident()

    def take(record: logging.LogRecord) -> bool:
        is_ours = record.thread == thread
        if is_ours:
            said.append(record.getMessage())
        return not is_ours

    logging.root.addFilter(take)
    try:
        yield said
    finally:
        logging.root.removeFilter(take)
