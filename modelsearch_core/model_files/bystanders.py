"""Files in model folders that generate nothing on their own: ControlNets, VAEs, text encoders, upscalers, ..."""

from __future__ import annotations

import re

from .networks import Shapes

_BEFORE_DENOISERS = (  # these contain, or look like, a diffusion model
    (
        "a ControlNet",
        r"^(control_model\.|controlnet_|lora_controlnet$|input_hint_block\.|control_(all_x_embedder|layers)\.)",
    ),
    ("a ControlNet", r"(^|\.)(controlnet_cond_embedding|controlnet_down_blocks|controlnet_blocks|zero_convs)\."),
    ("an IP-Adapter", r"^(image_proj|ip_adapter|image_proj_model)\.|\.ip_adapter_|\.to_[kv]_ip\."),
    ("a T2I-Adapter", r"^(adapter\.)?body\.\d+\.(resnets|block1|in_conv)|^adapter\.(body|conv_in)"),
    ("a LoRA of a ControlNet", r"^lora_controlnet"),
)
_AFTER_DENOISERS = (
    ("a motion module", r"\.motion_modules\.|\.temporal_transformer\."),
    (
        "a VAE",
        r"^((first_stage_model|vae)\.)?(en|de)coder\.(conv_in|conv1|up_blocks|up\.\d|middle\.\d|layers\.\d+\.conv|stages)",
    ),
    ("a VAE", r"^(taesd_|1\.weight$|3\.conv\.0\.weight$)"),
    ("a CLIP vision model", r"^(vision_model\.|visual\.|model\.visual\.|.*\bpatch_embeddings?\.)"),
    ("a text encoder", r"(^|\.)(text_model\.|transformer\.resblocks\.\d|encoder\.block\.0\.layer\.0\.SelfAttention)"),
    ("a text encoder", r"(^|\.)(embed_tokens\.weight|layers\.0\.self_attn\.q_proj\.weight|shared\.weight)$"),
    ("an embedding (textual inversion)", r"^(emb_params|clip_[lg]|t5xxl|string_to_param.*|<[^>]+>)$"),
    (
        "an upscaler",
        r"^(params(_ema)?\.)?(conv_first|model\.0|body\.0\.rdb1\.conv1|RRDB_trunk\.0|layers\.0\.residual_group)\b",
    ),
)
BEFORE_DENOISERS = tuple((what, re.compile(pattern, re.MULTILINE)) for what, pattern in _BEFORE_DENOISERS)
AFTER_DENOISERS = tuple((what, re.compile(pattern, re.MULTILINE)) for what, pattern in _AFTER_DENOISERS)
EMBEDDING_WIDTHS = (768, 1024, 1280, 2048, 4096)
UPSCALER_CHANNELS = 7  # Stability's x4 upscaler: four of latents, three of the small picture


def companion_of_control(shapes: Shapes) -> str | None:
    """What a file is that has a diffusion model's names but steers another one; None for any other file."""
    return _first(BEFORE_DENOISERS, shapes)


def bystander(shapes: Shapes) -> str | None:
    """What a file without diffusion model is, as far as that is known."""
    if _is_embedding(shapes):
        return "an embedding (textual inversion)"
    return _first(AFTER_DENOISERS, shapes)


def is_latent_upscaler(shapes: Shapes, prefix: str) -> bool:
    shape = shapes.get(f"{prefix}input_blocks.0.0.weight") or shapes.get(f"{prefix}conv_in.weight") or ()
    return len(shape) == 4 and shape[1] == UPSCALER_CHANNELS


def _first(patterns: tuple[tuple[str, re.Pattern[str]], ...], shapes: Shapes) -> str | None:
    text = "\n".join(shapes)
    return next((what for what, pattern in patterns if pattern.search(text)), None)


def _is_embedding(shapes: Shapes) -> bool:
    """A few vectors as wide as a text encoder's."""
    return 0 < len(shapes) <= 3 and all(
        len(shape) in (1, 2) and shape[-1] in EMBEDDING_WIDTHS for shape in shapes.values()
    )
