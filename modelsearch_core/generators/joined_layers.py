"""Layers of transformers that one program writes joined and another apart, under the names of those that are apart.

The original FLUX, HunyuanVideo and Stable Diffusion 3 have one matrix for queries, keys and values (`img_attn.qkv`,
`linear1` with the MLP besides), diffusers has one each: of the joined one these are the first outputs, each as many as
there are inputs. So is Z-Image's. Rows of a matrix are all that is taken apart; what diffusers puts in another order
(`norm_out`) keeps its name.
"""

from __future__ import annotations

import re

QKV = 3
Part = tuple[str, int, int]  # name, first output, the one behind the last

_STREAMS = (("img", "attn_to_{}", "attn_to_out_0", "ff"), ("txt", "attn_add_{}_proj", "attn_to_add_out", "ff_context"))
_SD3 = (("x_block", *_STREAMS[0][1:]), ("context_block", *_STREAMS[1][1:]))


def _of_streams(streams: tuple[tuple[str, str, str, str], ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for stream, attention, out, mlp in streams:
        found |= {
            f"{stream}_attn_qkv": tuple(attention.format(letter) for letter in "qkv"),
            f"{stream}_attn_proj": (out,),
            **{f"{stream}_mlp_{name}": (f"{mlp}_net_0_proj",) for name in ("0", "fc1")},
            **{f"{stream}_mlp_{name}": (f"{mlp}_net_2",) for name in ("2", "fc2")},
        }
    return found


_DOUBLE = _of_streams(_STREAMS) | {
    **{f"img_mod_{name}": ("norm1_linear",) for name in ("lin", "linear")},
    **{f"txt_mod_{name}": ("norm1_context_linear",) for name in ("lin", "linear")},
}
_SINGLE = {
    "linear1": ("attn_to_q", "attn_to_k", "attn_to_v", "proj_mlp"),
    "attn_to_qkv_mlp_proj": ("attn_to_q", "attn_to_k", "attn_to_v", "proj_mlp"),  # FLUX.2, in diffusers too
    "linear1_qkv": ("attn_to_q", "attn_to_k", "attn_to_v"),
    "linear1_mlp": ("proj_mlp",),
    "linear2": ("proj_out",),
    "modulation_lin": ("norm_linear",),
    "modulation_linear": ("norm_linear",),
}
_JOINT = _of_streams(_SD3) | {
    "x_block_attn2_qkv": ("attn2_to_q", "attn2_to_k", "attn2_to_v"),
    "x_block_attn2_proj": ("attn2_to_out_0",),
}
_ATTENTION = {
    "attention_qkv": ("attention_to_q", "attention_to_k", "attention_to_v"),
    "attention_out": ("attention_to_out_0",),
}
_BLOCKS = {
    "double_blocks": ("transformer_blocks", _DOUBLE),
    "single_blocks": ("single_transformer_blocks", _SINGLE),
    "single_transformer_blocks": ("single_transformer_blocks", _SINGLE),
    "joint_blocks": ("transformer_blocks", _JOINT),
    **{name: (name, _ATTENTION) for name in ("layers", "noise_refiner", "context_refiner")},
}
_NAME = re.compile(rf"unet\.({'|'.join(_BLOCKS)})_(\d+)_(\w+)")


def is_joined(name: str) -> bool:
    """Whether a layer, called as `canonical` does, has to tell its shape before it can be called as elsewhere."""
    return len(_parts(name)) > 1


def renamed(name: str) -> str:
    """A layer as diffusers calls it; one that is joined stays."""
    parts = _parts(name)
    return parts[0] if len(parts) == 1 else name


def apart(name: str, outputs: int, inputs: int) -> list[Part]:
    """The layers that a joined one of this shape stands for. One whose outputs are no such blocks (grouped queries)
    stays as it is."""
    parts = _parts(name)
    edges = [*(i * inputs for i in range(len(parts))), outputs]
    if edges[-2] >= outputs or (len(parts) == QKV and outputs != 3 * inputs):
        return [(name, 0, outputs)]
    return list(zip(parts, edges, edges[1:], strict=False))


def _parts(name: str) -> tuple[str, ...]:
    found = _NAME.fullmatch(name)
    if found is None:
        return (name,)
    blocks, layers = _BLOCKS[found[1]]
    return tuple(f"unet.{blocks}_{found[2]}_{part}" for part in layers.get(found[3], (found[3],)))
