"""From a layer's name in a LoRA file to the module of a Stable Diffusion pipeline.

Names are compared with dots as underscores, as kohya writes them, so nothing depends on which names have one inside.
SDXL trainers use the original names of the UNet (`input_blocks_4_1_…`), which are renamed by their position first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .numbered_layers import NUMBERED, numbered_layers

_PARTS = (
    (re.compile(r"^(lora_unet_|unet\.|base_model\.model\.|(model\.)?diffusion_model\.)"), "unet"),
    (re.compile(r"^lycoris_(unet_|(?!te))"), "unet"),
    (re.compile(r"^((lora|lycoris)_te2_|text_encoder_2\.)"), "text_encoder_2"),
    (re.compile(r"^((lora|lycoris)_te1?_|text_encoder\.)"), "text_encoder"),
)
_OLD_NAMES = (  # of diffusers before PEFT
    (re.compile(r"_processor_"), "_"),
    (re.compile(r"(self_attn)_to_(q|k|v|out)$"), r"\1_\2_proj"),
    (re.compile(r"(attn[12])_to_out$"), r"\1_to_out_0"),
)
_RESNET = {
    "in_layers_0": "norm1",
    "in_layers_2": "conv1",
    "emb_layers_1": "time_emb_proj",
    "out_layers_0": "norm2",
    "out_layers_3": "conv2",
    "skip_connection": "conv_shortcut",
}
_OUTER = {
    "input_blocks_0_0": "conv_in",
    "time_embed_0": "time_embedding_linear_1",
    "time_embed_2": "time_embedding_linear_2",
    "label_emb_0_0": "add_embedding_linear_1",
    "label_emb_0_2": "add_embedding_linear_2",
    "out_0": "conv_norm_out",
    "out_2": "conv_out",
}
_MIDDLE = {"0": "resnets_0", "1": "attentions_0", "2": "resnets_1"}
_INNER = re.compile(r"(input|output)_blocks_(\d+)_(\d)_(.+)$|middle_block_(\d)_(.+)$")

RELEASED_BLOCKS = 3  # layers per block, plus one

Place = tuple[str, str]  # component of the pipeline, path of the module in it


class LayerNames:
    """Looks up layers in a pipeline's modules."""

    def __init__(self, components: Mapping[str, Any]) -> None:
        self._components = {part: module for _, part in _PARTS if (module := components.get(part)) is not None}
        self._places = dict(self._names())
        unet = self._components.get("unet")
        self._blocks = unet.config["layers_per_block"] + 1 if unet is not None else 1

    def places_of(self, layers: Mapping[str, Mapping[str, Any]]) -> dict[str, Place | None]:
        """Where each layer of a file is, of which the factors may have to tell."""
        numbered = {part: self._numbered(part, layers) for part in self._components}
        return {layer: self._numbered_place(layer, numbered) or self.place_of(layer) for layer in layers}

    def place_of(self, layer: str) -> Place | None:
        """Where the layer is; None when this pipeline has no such layer."""
        part, name = _part_of(layer)
        name = name.replace(".", "_")
        for pattern, new in _OLD_NAMES:
            name = pattern.sub(new, name)
        name = renamed(name, self._blocks) if part == "unet" else name.removeprefix("text_model_")
        return self._places.get((part, name))

    def _numbered(self, part: str, layers: Mapping[str, Mapping[str, Any]]) -> list[str]:
        found = [NUMBERED.fullmatch(layer) for layer in layers]
        names = {int(each[2]): each[0] for each in found if each and each[1] == part}
        factors = [layers[names[number]] for number in sorted(names)]
        shapes = [(each["up"].shape[0], each["down"].shape[1]) for each in factors if {"up", "down"} <= set(each)]
        return numbered_layers(self._components[part], shapes) if names else []

    def _numbered_place(self, layer: str, numbered: Mapping[str, list[str]]) -> Place | None:
        found = NUMBERED.fullmatch(layer)
        paths = numbered.get(found[1], []) if found else []
        return (found[1], paths[int(found[2])]) if found and int(found[2]) < len(paths) else None

    def _names(self) -> Iterator[tuple[Place, Place]]:
        for part, component in self._components.items():
            for path, _ in component.named_modules():
                yield (part, path.replace(".", "_").removeprefix("text_model_")), (part, path)


def _part_of(layer: str) -> tuple[str, str]:
    for pattern, part in _PARTS:
        if found := pattern.match(layer):
            return part, layer[found.end() :]
    return "unet", layer


def canonical(layer: str) -> str:
    """One name for a layer in all spellings of LoRA files, without a pipeline to look it up in: as diffusers call it,
    with underscores. UNets have two layers a block, as every released one has; transformers' layers that two programs
    divide otherwise (`qkv`, `to_q`) stay two here (`joined_layers`)."""
    part, name = _part_of(layer)
    name = name.removeprefix("transformer.").replace(".", "_")
    for pattern, new in _OLD_NAMES:
        name = pattern.sub(new, name)
    return f"{part}.{renamed(name, RELEASED_BLOCKS) if part == 'unet' else name.removeprefix('text_model_')}"


def renamed(name: str, blocks: int) -> str:
    """The diffusers name for an original one; others stay. `blocks`: layers per block, plus one."""
    if name in _OUTER:
        return _OUTER[name]
    found = _INNER.match(name)
    if found is None:
        return name
    side, number, place, rest, middle, middle_rest = found.groups()
    if middle is not None:
        return f"mid_block_{_MIDDLE.get(middle, middle)}_{_RESNET.get(middle_rest, middle_rest)}"
    if side == "input":
        block, layer = divmod(int(number) - 1, blocks)
        return f"down_blocks_{block}_{_inner(layer, place, rest)}"
    block, layer = divmod(int(number), blocks)
    return f"up_blocks_{block}_{_inner(layer, place, rest)}"


def _inner(layer: int, place: str, rest: str) -> str:
    if rest == "op":
        return "downsamplers_0_conv"
    if rest == "conv":
        return "upsamplers_0_conv"
    return f"resnets_{layer}_{_RESNET.get(rest, rest)}" if place == "0" else f"attentions_{layer}_{rest}"
