"""LoRA of cloneofsimo/lora: layers have numbers instead of names, in the order in which the trainer met them.

It went through the linear layers in a U-Net's attention and gated activations (`CrossAttention`, `GEGLU`) and in CLIP's
attention, in the order of the modules of the diffusers of 2023: there, the feed-forward network came before the
cross-attention; later after it. Which order a file has is told by the widths of its layers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ModelSearchError

NUMBERED = re.compile(r"(unet|text_encoder):(\d+)")
EMBEDDING = "<embed>"  # what metadata say of embeddings that are packed along
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
_ACTIVATION = "ff.net.0.proj"
_BLOCKS = (("attn1", "ff", "attn2"), ("attn1", "attn2", "ff"))
_CLIP = ("k_proj", "v_proj", "q_proj", "out_proj")
_KNOWN_TARGETS = frozenset(("CrossAttention", "Attention", "GEGLU", "CLIPAttention"))

Shape = tuple[int, ...]


def check_targets(name: str, metadata: Mapping[str, str]) -> None:
    """Raises ModelSearchError where layers of other modules were numbered, too."""
    for part in ("unet", "text_encoder"):
        try:
            targets = json.loads(metadata.get(part, "[]"))
        except ValueError:
            targets = []
        strange = [str(target) for target in targets if target not in _KNOWN_TARGETS]
        if strange:
            raise ModelSearchError(
                f"{name} numbers its layers among those of {', '.join(sorted(strange))[:200]}, "
                "which is not applied here; convert it to kohya's names"
            )


def numbered_layers(component: Any, shapes: Sequence[Shape]) -> list[str]:
    """The paths of a component's layers by their number, in the order whose weights have these shapes."""
    orders = [list(_unet_layers(component, block)) for block in _BLOCKS] if _is_unet(component) else []
    orders = orders or [list(_clip_layers(component))]
    weights = {path: tuple(component.get_submodule(path).weight.shape) for path in orders[0]}
    fitting = [order for order in orders if [weights[path] for path in order] == list(shapes)]
    return fitting[0] if fitting else orders[0]


def _is_unet(component: Any) -> bool:
    return hasattr(component, "down_blocks")


def _unet_layers(unet: Any, order: Sequence[str]) -> Iterator[str]:
    for path, _ in unet.named_modules():
        if re.fullmatch(r".*\.transformer_blocks\.\d+", path):
            for part in order:
                yield from [f"{path}.{_ACTIVATION}"] if part == "ff" else [f"{path}.{part}.{end}" for end in _ATTENTION]


def _clip_layers(encoder: Any) -> Iterator[str]:
    for path, _ in encoder.named_modules():
        if path.endswith(".self_attn"):
            yield from (f"{path}.{end}" for end in _CLIP)
