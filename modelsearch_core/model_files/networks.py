"""LoRA and its relatives: how such a file is written, and what those of U-Nets and text encoders were trained on."""

from __future__ import annotations

import re

from ..families import UNKNOWN
from .packed import Shapes
from .tensor_names import TensorNames
from .unets import context_architecture
from .widths import telling, widths_of

NETWORKS = (  # the parts of names that tell; a line break is the end of a name
    ("dora", (".dora_scale\n", ".lora_magnitude_vector")),
    ("loha", (".hada_w1_a\n",)),
    ("lokr", (".lokr_w1\n", ".lokr_w1_a\n")),
    ("locon", (".lora_mid.weight\n",)),
    ("lora", (".lora_down.weight\n", ".lora_A.", ".lora_A\n", ".lora.down.weight\n", "_lora.down.weight\n")),
    ("lora", ("_lora1.down.weight\n", "_lora2.down.weight\n", ".lora_linear_layer.down.weight\n")),
    ("lora", ("\nunet:0:down\n", "\ntext_encoder:0:down\n")),
    ("glora", (".a1.weight\n",)),
    ("oft", (".oft_blocks\n", ".oft_diag\n", ".oft_R.", ".oft_r")),
    ("ia3", (".on_input\n",)),
    ("full", (".diff\n", ".w_norm\n")),
)
_UNET = ("down_blocks", "up_blocks", "mid_block", "input_blocks", "output_blocks", "middle_block")
_NUMBERED = "\nunet:0:down\n"  # cloneofsimo/lora numbers layers
_UNET_CONTEXT = re.compile(r"attn2[._](processor[._])?to_[kv]\b|attn2[._](processor[._])?to_[kv]_lora")
_PROJECTION = re.compile(r"(attentions|blocks?)[._].*proj_(in|out)$")
_FIRST_STAGE = re.compile(r"down_blocks[._]0[._]|input_blocks[._][12][._]|up_blocks[._]3[._]")
_PLAIN = (".lora_down.weight", ".lora_A.weight", ".lora.down.weight")  # of the shape of what they adapt
_CLIP_QUERIES = re.compile(r"text_model.*self_attn[._](q_proj|to_q)|lora_te\d?_.*self_attn_q_proj")
_NOT_BY_WIDTH = (UNKNOWN, "sd_mini", "sdxl_refiner")  # U-Nets themselves are as wide as that
_OF_DIFFUSION = ("\ndiffusion_model.", "\ntransformer.", "\nunet.", "\ntext_encoder", "\nlora_unet_", "\nlora_te")
_LANGUAGE_MODEL = ("\nmodel.layers.", ".model.layers.", "\nlanguage_model.", ".language_model.")


def network_of(shapes: Shapes, names: TensorNames) -> str | None:
    """How the file is written; None when it is no LoRA or relative of one."""
    found = next((network for network, parts in NETWORKS if any(part in names for part in parts)), None)
    return "locon" if found == "lora" and _has_convolution(shapes) else found


def is_for_language_model(names: TensorNames) -> bool:
    """Of one alone: text encoders of diffusion models are language models, too."""
    if any(part in names for part in _OF_DIFFUSION):
        return False
    return any(part in names for part in _LANGUAGE_MODEL) and ".self_attn." in names


def is_for_sound(names: TensorNames) -> bool:
    """ACE-Step's layers are a language model's with cross-attention."""
    return "model.layers.0.cross_attn." in names or "lyric_encoder" in names


def is_for_unet(names: TensorNames) -> bool:
    return "lora_prior_" not in names and any(part in names for part in (*_UNET, _NUMBERED))


def unet_architecture(shapes: Shapes, names: TensorNames) -> str:
    """What a LoRA of a U-Net was trained on; `unknown` when names and shapes leave it open."""
    if "unet:0:down" in shapes:
        return _numbered_architecture(shapes)
    if "temporal_transformer_blocks" in names or "time_stack" in names:
        return "svd"
    width = input_width(shapes, _UNET_CONTEXT)
    if width is None and re.search(r"transformer_blocks[._][1-9]", names.lines):
        return "sdxl"  # the only one with more than one transformer block in a row
    found = context_architecture(width) if width else _by_projection(shapes)
    return found if found != UNKNOWN else text_encoder_architecture(shapes, names)


def _by_projection(shapes: Shapes) -> str:
    """What leads into attention is a 1x1 convolution in Stable Diffusion 1 alone; the first stage has attention in
    those before XL alone."""
    for layer, end in telling(shapes):
        if _PROJECTION.search(layer) and end in _PLAIN:
            if len(shapes[layer + end]) == 4:
                return "sd15"
            if _FIRST_STAGE.search(layer):
                return "sd2"
    return UNKNOWN


def _numbered_architecture(shapes: Shapes) -> str:
    """Of layers that have numbers only, the cross-attention's are told by inputs as wide as text features are."""
    factors = (name for name in shapes if name.startswith("unet:") and name.endswith(":down") and shapes[name])
    found = (context_architecture(width) for width in sorted({shapes[name][-1] for name in factors}))
    return next((architecture for architecture in found if architecture not in _NOT_BY_WIDTH), UNKNOWN)


def text_encoder_architecture(shapes: Shapes, names: TensorNames) -> str:
    """What a LoRA of text encoders alone tells."""
    text = names.lines.replace(".", "_")
    if re.search(r"SelfAttention|te[23]_encoder_block", text):
        return UNKNOWN  # T5: SD3, FLUX.1 and others have it
    if re.search(r"lora_te2_|text_encoder_2_", text):
        return "sdxl"
    if "lora_te1_" in text:
        return UNKNOWN  # SDXL, SD3 and FLUX.1 begin with the same CLIP
    return context_architecture(input_width(shapes, _CLIP_QUERIES))


def input_width(shapes: Shapes, among: re.Pattern[str]) -> int | None:
    """Width of the input of the first adapted layer, of those whose name has the pattern, whose factors tell it."""
    widths = (widths_of(layer, end, shapes)[1] for layer, end in telling(shapes) if among.search(layer + end))
    return next((width for width in widths if width), None)


def _has_convolution(shapes: Shapes) -> bool:
    """Whether a 3x3 convolution is adapted; LoRA on linear layers and 1x1 convolutions is plain LoRA."""
    if not any(len(shape) == 4 and shape[-1] > 1 for shape in set(shapes.values())):
        return False
    return any("lora_" in name for name, shape in shapes.items() if len(shape) == 4 and shape[-1] > 1)
