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

Widths = tuple[int | None, int | None]  # of a layer: outputs, inputs

_FACTORS = {  # the end of a factor's name that tells a layer: of the one with its outputs
    ".lora_down.weight": ".lora_up.weight",
    ".lora_A.weight": ".lora_B.weight",
    ".lora_A.default.weight": ".lora_B.default.weight",
    ".lora.down.weight": ".lora.up.weight",
    ".lora_linear_layer.down.weight": ".lora_linear_layer.up.weight",
    "_lora.down.weight": "_lora.up.weight",
    "_lora1.down.weight": "_lora1.up.weight",
    "_lora2.down.weight": "_lora2.up.weight",
    ".hada_w1_b": ".hada_w1_a",
    ".lokr_w1": "",
    ".lokr_w1_a": "",
    ".a1.weight": "",
    ".diff": "",
    ".w_norm": "",
    ".on_input": "",
}
_ENDS = tuple(_FACTORS)
_OTHER_END = re.compile(r"\.(lora_A\.\w+\.weight|oft_[a-zA-Z]+(\.\w+)*)$")  # a PEFT adapter of another name; OFT
_OUTER = re.compile(  # what trainers and loaders put before the names of layers
    r"^(base_model\.model\.|(model\.)?diffusion_model\.|transformer\.|unet\.|lora_unet_+|lora_transformer_"
    r"|lycoris_unet_|lycoris_|Hunyuan_video_I2V_lora_|lora_(?=prior_))+"
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
    covered: int  # stacks that the LoRA adapts to the last block


@dataclass(frozen=True)
class Judged:
    """The best fit first; `why` says what speaks against a family that has the names."""

    fits: tuple[Fit, ...]
    why: str = ""


def adapted_by(shapes: Shapes) -> Adapted:
    """The layers that a LoRA adapts, in one pass over its tensors."""
    found = Adapted()
    for name, end in _telling(shapes):
        stack, number, layer = _place(name[: -len(end)])
        if number > found.highest.get(stack, OUTSIDE):
            found.highest[stack] = number
        if (stack, layer) not in found.layers:
            found.measured &= not end.startswith(".lokr")
            found.layers[stack, layer] = _widths(name[: -len(end)], end, shapes)
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
    fits.sort(key=lambda fit: (-fit.explained, -fit.covered, fit.family.rare, order[fit.family.name]))
    return Judged(tuple(fits), why)


def _fits(family: Family, width: set[float], explained: int, highest: Mapping[str, int]) -> Iterator[Fit]:
    variants = known(family.variants)
    if len(width) > 1:
        return
    if not variants:
        yield Fit(family, None, explained, 0)
    for variant in variants:
        stacks = [(variant.blocks[stack], number) for stack, number in highest.items() if stack in variant.blocks]
        if width <= {variant.width} and all(number < count for count, number in stacks):
            yield Fit(family, variant, explained, sum(number == count - 1 for count, number in stacks))


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


def _telling(shapes: Shapes) -> Iterator[tuple[str, str]]:
    """The factors that tell a layer, one for each, and how their names end."""
    for name in shapes:
        if name.endswith(_ENDS):
            for end in _ENDS:
                if name.endswith(end):
                    yield name, end
                    break
        elif ".oft_" in name or ".lora_A." in name:
            other = _OTHER_END.search(name)
            if other:
                yield name, other[0]


def _place(module: str) -> tuple[str, int, str]:
    """Stack, number of the block, layer; the stack is empty for what is in no block."""
    name = module.replace(".", "_")
    outer = _OUTER.match(module)
    start = outer.end() if outer else 0
    found = _BLOCK.search(name, start)
    return (name[start : found.start()], int(found[1]), name[found.end() :]) if found else ("", OUTSIDE, name[start:])


def _widths(module: str, end: str, shapes: Shapes) -> Widths:
    shape = shapes[module + end]
    if end == ".diff":
        return (shape[0], shape[1]) if len(shape) > 1 else (None, None)
    if end.startswith(".lokr"):
        return _kronecker(module, shapes)
    if len(shape) < 2 or ".oft_" in end:
        return None, None
    up = shapes.get(module + _FACTORS[end], ()) if _FACTORS.get(end) else ()
    return (up[0] if up else None), shape[1]


def _kronecker(module: str, shapes: Shapes) -> Widths:
    """A Kronecker product is as wide as its factors multiplied; each may itself be two factors."""
    sides = [_side(module, name, shapes) for name in ("lokr_w1", "lokr_w2")]
    if not sides[0] or not sides[1]:
        return None, None
    return sides[0][0] * sides[1][0], sides[0][1] * sides[1][1]


def _side(module: str, name: str, shapes: Shapes) -> tuple[int, int] | None:
    whole = shapes.get(f"{module}.{name}", ())
    if len(whole) > 1:
        return whole[0], whole[1]
    out, into = shapes.get(f"{module}.{name}_a", ()), shapes.get(f"{module}.{name}_b", ())
    return (out[0], into[1]) if out and len(into) > 1 else None


@lru_cache(maxsize=65536)
def _lines_for(stack: str, layer: str) -> tuple[tuple[str, Line], ...]:
    """The families that have such a layer, with their line for it."""
    tables = ((family.name, family.layers) for family in FAMILIES.values() if not isinstance(family.layers, No))
    found = ((name, layers.find(stack, layer)) for name, layers in tables)
    return tuple((name, line) for name, line in found if line)
