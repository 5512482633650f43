"""LoRA and its relatives: how such a file is written, and what it was trained on, from names and shapes.

Names are compared with dots as underscores, so that kohya's `lora_unet_double_blocks_0_img_attn_proj` and the
`double_blocks.0.img_attn.proj` of others are one case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

UNKNOWN = "unknown"
NETWORKS = (  # the parts of names that tell; a line break is the end of a name
    ("dora", (".dora_scale\n", ".lora_magnitude_vector")),
    ("loha", (".hada_w1_a\n",)),
    ("lokr", (".lokr_w1\n", ".lokr_w1_a\n")),
    ("locon", (".lora_mid.weight\n",)),
    ("lora", (".lora_down.weight\n", ".lora_A.", ".lora.down.weight\n", "_lora.down.weight\n", "_lora1.down.weight\n")),
    ("lora", ("_lora2.down.weight\n", ".lora_linear_layer.down.weight\n")),
    ("glora", (".a1.weight\n",)),
    ("oft", (".oft_blocks\n", ".oft_diag\n", ".oft_R.", ".oft_r.")),
    ("ia3", (".on_input\n",)),
    ("full", (".diff\n",)),
)
_INPUT_SIDE = re.compile(  # the factor that the layer's input meets: [rank, in, ...]
    r"(lora_down|lora_A(\.\w+)?|lora\.down|lora_linear_layer\.down|a1)\.weight$|\.hada_w1_b$|\.diff$"
)
_UNET = ("down_blocks", "up_blocks", "mid_block", "input_blocks", "output_blocks", "middle_block")
_UNET_CONTEXT = re.compile(r"attn2[._](processor[._])?to_[kv]\b|attn2[._](processor[._])?to_[kv]_lora")
_NUMBER = re.compile(r"_\d+(?=[_\n])")
_LANGUAGE_MODEL = ("\nmodel.layers.", ".model.layers.", "\nlanguage_model.", ".language_model.")

CONTEXT_WIDTHS = {768: "sd15", 1024: "sd2", 1280: "sdxl_refiner", 2048: "sdxl"}
_PATTERNS = (
    ("flux3", r"early_stream_modulations|txt_mode_blocks_|(^|_)mode_blocks_image"),
    ("flux2", r"(single|double)_stream_modulation|to_qkv_mlp_proj"),
    ("sd3", r"joint_blocks_\d+_(x|context)_block"),
    ("auraflow", r"joint_transformer_blocks_\d|double_layers_\d+_(attn|mlp|mod)"),
    ("hunyuan_video", r"img_mlp_fc\d|img_mod_linear|individual_token_refiner|context_embedder_token_refiner"),
    ("hidream", r"(double|single)_stream_blocks_\d+_block"),
    ("chroma", r"distilled_guidance_layer"),
    ("flux", r"double_blocks_\d+_(img|txt)_|single_blocks_\d+_(linear|modulation)|double_blocks_\d+_processor"),
    ("flux", r"single_transformer_blocks_\d"),
    ("qwen_image", r"transformer_blocks_\d+_(img|txt)_(mlp|mod)"),
    ("kandinsky5", r"visual_transformer_blocks_\d"),
    ("krea2", r"txtfusion_|text_fusion_|blocks_\d+_attn_w[qkvo]_"),
    ("anima", r"llm_adapter_"),
    ("cosmos", r"blocks_\d+_(self|cross)_attn_(q|k|v|output)_proj|blocks_block\d+_blocks_"),
    ("wan", r"blocks_\d+_(self|cross)_attn_[qkvo]_(?!proj)"),
    ("hunyuan_dit", r"blocks_\d+_attn1_(Wqkv|q_norm|out_proj)|blocks_\d+_attn2_(kv_proj|q_proj)"),
    ("sana", r"blocks_\d+_cross_attn_(q|kv)_linear"),
)
PATTERNS = tuple((architecture, re.compile(pattern)) for architecture, pattern in _PATTERNS)
REFINER_WIDTHS = {3840: "z_image", 2304: "lumina2"}  # Lumina's layers; Z-Image has the same names
JOINT_WIDTHS = {1536: "sd3", 2432: "sd3"}
CROSS_WIDTHS = {1152: "pixart", 2048: "ltxv", 2240: "sana", 4096: "ltxv", 1408: "hunyuan_dit", 2560: "cogview4"}


def network_of(shapes: Shapes) -> str | None:
    """How the file is written; None when it is no LoRA or relative of one."""
    text = lines_of(shapes)
    found = next((network for network, parts in NETWORKS if any(part in text for part in parts)), None)
    return "locon" if found == "lora" and _has_convolution(shapes) else found


def _has_convolution(shapes: Shapes) -> bool:
    """Whether a 3x3 convolution is adapted; LoRA on linear layers and 1x1 convolutions is plain LoRA."""
    return any(len(shape) == 4 and shape[-1] > 1 and "lora_" in name for name, shape in shapes.items())


def is_for_language_model(shapes: Shapes) -> bool:
    text = lines_of(shapes)
    return any(part in text for part in _LANGUAGE_MODEL)


def network_architecture(shapes: Shapes) -> str:
    """What a LoRA was trained on; `unknown` when names and shapes leave it open."""
    text = lines_of(shapes)
    if any(part in text for part in _UNET):
        return _unet_architecture(shapes, text)
    modules = _modules(shapes)
    for architecture, pattern in PATTERNS:
        if pattern.search(modules):
            return _flux_generation(shapes) if architecture == "flux" else architecture
    return _by_width(shapes, modules) or _text_encoder_architecture(shapes, modules)


def lines_of(shapes: Shapes) -> str:
    """All names, each between line breaks: one search in C instead of one per name."""
    return "\n" + "\n".join(shapes) + "\n"


def _modules(shapes: Shapes) -> str:
    """The names with dots as underscores and numbers of layers as 0, each once: a short text for many patterns."""
    names = _NUMBER.sub("_0", lines_of(shapes).replace(".", "_"))
    return "\n".join(dict.fromkeys(names.split("\n")))


def input_width(names: list[str], shapes: Shapes) -> int | None:
    """Width of the input of the first adapted layer among `names` whose factors tell it."""
    for name in names:
        if _INPUT_SIDE.search(name) and len(shapes[name]) > 1:
            return shapes[name][1]
        if ".lokr_w1" in name:
            return _kronecker_width(name[: name.index(".lokr_w1")], shapes)
    return None


def _kronecker_width(module: str, shapes: Shapes) -> int | None:
    """The input of a Kronecker product is as wide as its factors' inputs multiplied; each may itself be two factors."""
    sides = [shapes.get(f"{module}.{side}") or shapes.get(f"{module}.{side}_b") for side in ("lokr_w1", "lokr_w2")]
    if sides[0] and sides[1] and min(len(sides[0]), len(sides[1])) > 1:
        return sides[0][1] * sides[1][1]
    return None


def context_architecture(width: int | None) -> str:
    """The Stable Diffusion whose text features are `width` wide; narrower than any real one is a toy model."""
    if width is None:
        return UNKNOWN
    return "sd_mini" if width < 768 else CONTEXT_WIDTHS.get(width, UNKNOWN)


def _unet_architecture(shapes: Shapes, text: str) -> str:
    width = input_width([name for name in shapes if "attn2" in name and _UNET_CONTEXT.search(name)], shapes)
    if width is None and re.search(r"transformer_blocks[._][1-9]", text):
        return "sdxl"  # the only one with more than one transformer block in a row
    found = context_architecture(width)
    return found if found != UNKNOWN else _text_encoder_architecture(shapes, text.replace(".", "_"))


def _flux_generation(shapes: Shapes) -> str:
    """FLUX.2 has FLUX.1's names; its hidden size differs, or its gated MLP is wider."""
    for name, shape in shapes.items():
        if "img_attn" in name and input_width([name], shapes) in (4096, 6144):
            return "flux2"
        if re.search(r"linear1\.lora_(up|B).*weight$", name) and shape[0] != 21504:
            return "flux2"
    return "flux"


def _by_width(shapes: Shapes, text: str) -> str | None:
    """Transformers that name their layers alike and differ in width."""
    if re.search(r"(layers|noise_refiner|context_refiner)_\d+_attention_", text):
        return _look_up(
            REFINER_WIDTHS, [name for name in shapes if re.search(r"attention[._](qkv|to_[qkv])", name)], shapes
        )
    if re.search(r"transformer_blocks_\d+_attn[12]_", text):
        return _look_up(CROSS_WIDTHS, [name for name in shapes if re.search(r"attn1[._]to_q", name)], shapes)
    if re.search(r"transformer_blocks_\d+_attn_", text):
        return _joint_architecture(shapes)
    return None


def _look_up(widths: Mapping[int, str], names: list[str], shapes: Shapes) -> str | None:
    return widths.get(input_width(names, shapes) or 0)


def _joint_architecture(shapes: Shapes) -> str | None:
    """SD3 by its widths; FLUX.1 and Qwen-Image share 3072, but only Qwen-Image has a block beyond the nineteenth."""
    width = input_width([name for name in shapes if re.search(r"attn[._](to_[qkv]|add_[qkv])", name)], shapes)
    if width != 3072:
        return JOINT_WIDTHS.get(width or 0)
    last = max(int(number) for number in re.findall(r"transformer_blocks[._](\d+)", lines_of(shapes)))
    return "qwen_image" if last > 18 else "flux"


def _text_encoder_architecture(shapes: Shapes, text: str) -> str:
    """What a LoRA of text encoders alone tells."""
    if re.search(r"SelfAttention|te[23]_encoder_block", text):
        return UNKNOWN  # T5: SD3, FLUX.1 and others have it
    if re.search(r"lora_te2_|text_encoder_2_", text):
        return "sdxl"
    if "lora_te1_" in text:
        return UNKNOWN  # SDXL, SD3 and FLUX.1 begin with the same CLIP
    width = input_width([name for name in shapes if re.search(r"self_attn[._](q_proj|to_q)", name)], shapes)
    return context_architecture(width)
