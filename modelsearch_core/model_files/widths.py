"""How wide a layer is that a LoRA, or a relative of one, changes: from the shapes of its factors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from .packed import Shapes

Widths = tuple[int | None, int | None]  # of a layer: outputs, inputs; None where its factors leave it open

_PAIRS = {  # how the name of the factor with a layer's inputs ends, and of that with its outputs
    ".lora_down.weight": ".lora_up.weight",
    ".lora_A.weight": ".lora_B.weight",
    ".lora_A.default.weight": ".lora_B.default.weight",
    ".lora.down.weight": ".lora.up.weight",
    ".lora_linear_layer.down.weight": ".lora_linear_layer.up.weight",
    "_lora.down.weight": "_lora.up.weight",
    "_lora1.down.weight": "_lora1.up.weight",
    "_lora2.down.weight": "_lora2.up.weight",
    ".hada_w1_b": ".hada_w1_a",
}
_OTHERS = (".lokr_w1", ".lokr_w1_a", ".a1.weight", ".diff", ".w_norm", ".on_input", ".oft_blocks", ".oft_diag")
_ENDS = (*_PAIRS, *_OTHERS)
_OTHER_END = re.compile(r"\.(lora_A(\.\w+)*|oft_[rR](\.\w+)*)$")  # adapters of PEFT with a name of their own, or none


def telling(shapes: Shapes) -> Iterator[tuple[str, str]]:
    """A layer and the end of the name of one of its factors, once for each layer."""
    end, beside = _ENDS[0], _beside(_ENDS[0])
    for name in shapes:
        if name.endswith(end):  # a file has one or two of them
            yield name[: -len(end)], end
        elif name.endswith(beside):
            continue
        elif name.endswith(_ENDS):
            end = next(end for end in _ENDS if name.endswith(end))
            beside = _beside(end)
            yield name[: -len(end)], end
        elif ".oft_" in name or ".lora_A" in name:
            other = _OTHER_END.search(name)
            if other:
                yield name[: other.start()], other[0]


def _beside(end: str) -> tuple[str, ...]:
    """How names end that tell nothing more of a layer of which one ends so."""
    return (".alpha", _PAIRS[end]) if end in _PAIRS else (".alpha",)


def is_product(end: str) -> bool:
    """Whether the widths are those of two factors multiplied; some trainers' do not multiply to the layer's."""
    return end.startswith(".lokr")


def widths_of(layer: str, end: str, shapes: Shapes) -> Widths:
    """Of the layer, of which a factor's name ends so."""
    shape = shapes[layer + end]
    if is_product(end):
        return _kronecker(layer, shapes)
    if end.startswith(".oft_"):
        return _rotated(end, shape)
    if end == ".on_input":
        return _scaled(layer, shapes)
    if end == ".a1.weight":
        return _generalised(layer, shapes)
    if len(shape) < 2:
        return None, None
    if end == ".diff":
        return shape[0], shape[1]
    other = _PAIRS.get(end) or end.replace("lora_A", "lora_B")
    outputs = shapes.get(layer + other, ())
    return (outputs[0] if outputs else None), shape[1]


def _kronecker(layer: str, shapes: Shapes) -> Widths:
    """A Kronecker product is as wide as its factors multiplied; each may itself be two factors."""
    sides = [_side(layer, name, shapes) for name in ("lokr_w1", "lokr_w2")]
    if not sides[0] or not sides[1]:
        return None, None
    return sides[0][0] * sides[1][0], sides[0][1] * sides[1][1]


def _side(layer: str, name: str, shapes: Shapes) -> tuple[int, int] | None:
    whole = shapes.get(f"{layer}.{name}", ())
    if len(whole) > 1:
        return whole[0], whole[1]
    out, into = shapes.get(f"{layer}.{name}_a", ()), shapes.get(f"{layer}.{name}_b", ())
    return (out[0], into[1]) if out and len(into) > 1 else None


def _rotated(end: str, shape: tuple[int, ...]) -> Widths:
    """OFT turns blocks of outputs (LyCORIS, kohya: whole blocks, with BOFT in several stages) or of inputs (PEFT: what
    lies above the diagonal). A single block of PEFT's may stand for many."""
    if end in (".oft_blocks", ".oft_diag"):
        return (shape[-3] * shape[-1] if len(shape) in (3, 4) else None), None
    if len(shape) == 3:
        return None, (shape[0] * shape[-1] if shape[0] > 1 else None)
    if len(shape) != 2 or shape[0] < 2:
        return None, None
    side = (1 + math.isqrt(1 + 8 * shape[1])) // 2
    return None, (shape[0] * side if side * (side - 1) == 2 * shape[1] else None)


def _scaled(layer: str, shapes: Shapes) -> Widths:
    """IA3 has a number for each output, but where it ends a feed-forward network, often for each input."""
    count = math.prod(shapes.get(f"{layer}.weight", ()))
    return (count if count > 1 and not layer.endswith("2") else None), None


def _generalised(layer: str, shapes: Shapes) -> Widths:
    """GLoRA's factors are two pairs; which of a pair is first changed between LyCORIS 2 and 3."""
    first, second = shapes[f"{layer}.a1.weight"], shapes.get(f"{layer}.a2.weight", ())
    if len(first) < 2 or len(second) < 2:
        return None, (first[1] if len(first) > 1 else None)
    into = max(first[:2])
    output = "b1" if first[0] == into else "b2"
    outputs = shapes.get(f"{layer}.{output}.weight", ())
    return (outputs[0] if outputs else None), into
