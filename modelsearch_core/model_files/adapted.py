"""Which layers a LoRA adapts, how wide they are, and so on which families it fits.

Names are compared with dots as underscores, so that kohya's `lora_unet_double_blocks_0_img_attn_proj` and the
`double_blocks.0.img_attn.proj` of others are one case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ..families import FAMILIES, Family, No, Variant, known
from ..families.layers import Line
from .packed import Shapes
from .widths import Widths, is_product, telling, widths_of

_OUTER = re.compile(  # what trainers and loaders put before the names of layers
    r"^(base_model\.model\.|model\.|module\.|diffusion_model\.|(conditional_)?transformer(_2)?\.|unet\.|net\.|(pipe\.)?dit\."
    r"|(lora|oft)_unet_+|lora_transformer_|lycoris_(unet_)?|Hunyuan_video_I2V_lora_|lora_(?=prior_))+"
)
_BLOCK = re.compile(r"_(\d{1,4})_")
OUTSIDE = -1  # in place of the number of a block


@dataclass
class Adapted:
    """Layers by (stack of blocks, layer within a block), the stack empty where a layer is in none; and the highest
    number of a block in each stack. `measured` is False where factors of Kronecker products stand for widths: some
    trainers' do not multiply to the layer's."""

    layers: dict[tuple[str, str], Widths] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)
    measured: bool = True


class Fit(NamedTuple):
    """A family, and one of its variants where it has any, that has layers of these names and widths."""

    family: Family
    variant: Variant | None
    explained: int  # layers that the family has
    confirmed: bool  # by their widths, not by their names alone
    covered: int  # stacks that the LoRA adapts to the last block


@dataclass(frozen=True)
class Judged:
    """The best fit first; `why` says what speaks against a family that has the names."""

    fits: tuple[Fit, ...]
    why: str = ""


def adapted_by(shapes: Shapes) -> Adapted:
    """The layers that a LoRA adapts, in one pass over its tensors."""
    found = Adapted()
    for module, end in telling(shapes):
        stack, number, layer = _place(module)
        if number > found.highest.get(stack, OUTSIDE):
            found.highest[stack] = number
        if (stack, layer) not in found.layers:
            found.measured &= not is_product(end)
            found.layers[stack, layer] = widths_of(module, end, shapes)
    return found


def judge(adapted: Adapted) -> Judged:
    """The families that a LoRA fits, the likeliest first: whose layers explain most of it, whose blocks it covers."""
    explained: dict[str, list[tuple[Line, Widths]]] = {}
    for (stack, layer), widths in adapted.layers.items():
        for name, line in _lines_for(stack, layer):
            explained.setdefault(name, []).append((line, widths))
    all_widths = {name: _model_widths(lines) for name, lines in explained.items()}
    if not adapted.measured and all(len(widths) > 1 for widths in all_widths.values()):
        all_widths = {name: set[float]() for name in all_widths}
    fits: list[Fit] = []
    why = ""
    for name, lines in explained.items():
        family = FAMILIES[name]
        width = all_widths[name]
        found = list(_fits(family, width, len(lines), adapted.highest))
        fits += found
        if not found and not why and not family.rare:
            why = f"its layers are named like those of {family.title}, but {_said(width, family)}"
    order = {name: number for number, name in enumerate(FAMILIES)}
    fits.sort(
        key=lambda fit: (
            *(-fit.explained, not fit.confirmed, -fit.covered),
            *(fit.family.rare or (fit.variant is not None and fit.variant.rare), order[fit.family.name]),
        )
    )
    return Judged(tuple(fits), why)


def _fits(family: Family, width: set[float], explained: int, highest: Mapping[str, int]) -> Iterator[Fit]:
    variants = known(family.variants)
    if len(width) > 1:
        return
    if not variants:
        yield Fit(family, None, explained, bool(width), 0)
    for variant in variants:
        stacks = [(variant.blocks[stack], number) for stack, number in highest.items() if stack in variant.blocks]
        if width <= {variant.width} and all(number < count for count, number in stacks):
            covered = sum(number == count - 1 for count, number in stacks)
            yield Fit(family, variant, explained, bool(width), covered)


def _model_widths(lines: list[tuple[Line, Widths]]) -> set[float]:
    """The widths of the model that its layers tell; one, if they are of that family."""
    widths: set[float] = set()
    for line, (out, into) in lines:
        widths |= {out / line.out} if line.out and out else set()
        widths |= {into / line.into} if line.into and into else set()
    return widths


def _said(width: set[float], family: Family) -> str:
    if len(width) > 1:
        return "of other proportions"
    if width and all(variant.width not in width for variant in known(family.variants)):
        return f"{next(iter(width)):g} wide"
    return "there are more of them"


@lru_cache(maxsize=16384)  # files of a family have the same
def _place(module: str) -> tuple[str, int, str]:
    """Stack, number of the block, layer; the stack is empty for what is in no block."""
    name = module.replace(".", "_")
    outer = _OUTER.match(module)
    start = outer.end() if outer else 0
    found = _BLOCK.search(name, start)
    return (name[start : found.start()], int(found[1]), name[found.end() :]) if found else ("", OUTSIDE, name[start:])


@lru_cache(maxsize=65536)
def _lines_for(stack: str, layer: str) -> tuple[tuple[str, Line], ...]:
    """The families that have such a layer, with their line for it."""
    tables = ((family.name, family.layers) for family in FAMILIES.values() if not isinstance(family.layers, No))
    found = ((name, layers.find(stack, layer)) for name, layers in tables)
    return tuple((name, line) for name, line in found if line)
