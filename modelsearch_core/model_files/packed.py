"""Names and widths of weights that are packed, as they were before.

bitsandbytes (NF4, FP4) stores two numbers a byte in one column, whatever the shape was; the shape is in a tensor beside
it, which a header does not hold, but the number of inputs follows from that of outputs. NVFP4 halves the inputs, and so
does SVDQuant (nunchaku), which calls the weights `qweight`; optimum-quanto calls them `weight._data`.
"""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

MARKS = (".quant_state.bitsandbytes__nf4", ".quant_state.bitsandbytes__fp4")
NVFP4, SVDQUANT, QUANTO = "_scale_2", ".qweight", ".weight._data"
PER_BYTE = 2
_STAGES = {"1": 1, "2": 1, "4": 2, "5": 2, "7": 4, "8": 4}  # of a U-Net's input blocks: times its first width


def unpacked(shapes: Shapes) -> Shapes:
    """The shapes, those of packed weights as they were before as far as anything beside them tells."""
    packed = [name[: -len(mark)] for mark in MARKS for name in shapes if name.endswith(mark)]
    halved = [name[: -len(NVFP4)] for name in shapes if name.endswith(NVFP4)]
    renamed = [name for name in shapes if name.endswith(SVDQUANT)]
    wrapped = [name for name in shapes if name.endswith(QUANTO)]
    if not packed and not halved and not renamed and not wrapped:
        return shapes
    return {
        **shapes,
        **{name: _shape(name, shapes) for name in packed if shapes.get(name, ())[1:] == (1,)},
        **{name: _doubled(shapes[name]) for name in halved if name in shapes},
        **{f"{name.removesuffix(SVDQUANT)}.weight": _doubled(shapes[name]) for name in renamed},
        **{name.removesuffix("._data"): shapes[name] for name in wrapped},
    }


def _doubled(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-1], PER_BYTE * shape[-1]) if shape else shape


def _shape(name: str, shapes: Shapes) -> tuple[int, ...]:
    count = PER_BYTE * shapes[name][0]
    out = _outputs(name, shapes)
    if out and count % out == 0:
        return (out, count // out)
    side = round(count**0.5)
    return (side, side) if side * side == count else shapes[name]


def _outputs(name: str, shapes: Shapes) -> int | None:
    """As many as the bias has, else as the norm before a layer of attention, else as its stage of a U-Net is wide."""
    bias = shapes.get(f"{name.removesuffix('weight')}bias")
    if bias:
        return bias[0]
    block, attention, _ = name.rpartition(".attn2.")
    if attention and f"{block}.norm2.weight" in shapes:
        return shapes[f"{block}.norm2.weight"][0]
    prefix, blocks, rest = name.partition("input_blocks.")
    first = shapes.get(f"{prefix}input_blocks.0.0.weight")
    return first[0] * _STAGES.get(rest.split(".")[0], 1) if blocks and first and attention else None
