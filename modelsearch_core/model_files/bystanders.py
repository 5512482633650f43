"""Files in model folders that generate nothing on their own: ControlNets, VAEs, text encoders, upscalers, ..."""

from __future__ import annotations

import math
import re

from .adapted import adapted_by, judge
from .packed import Shapes
from .tensor_names import TensorNames

_BEFORE_DENOISERS = """
a ControlNet        ^control_model.  ^controlnet_  ^lora_controlnet  ^input_hint_block.  ^zero_convs.  ^control_layers.
a ControlNet        ^control_all_x_embedder.  controlnet_cond_embedding.  controlnet_down_blocks.  controlnet_blocks.
a ControlNet        ^lllite_  ^after_proj_list.  ^control_blocks.  ^control_img_in.  ^control_transformer_blocks.
an IP-Adapter       ^image_proj.  ^ip_adapter.  ^image_proj_model.  .ip_adapter_  .to_k_ip.  ^ip_adapter_proj_model.
an identity adapter ^0.to_q_lora.  ^id_encoder.  ^pulid_  ^id_adapter  .fuse_module.mlp1.
a style model       ^redux_up.  ^redux_down.  ^style_embedding
a model of sound    genre_embedder.  lyric_encoder.  cond_layer_logits  .rotary_pos_emb.inv_freq  ^to_timestep_embed.
a model of sound    .to_timestep_embed.  ^postprocess_conv.
a model of 3D       latent_in.  img2shape.  shape2txt.  repo_layers.0.
an upscaler         .mlp.vid.  .mlp.all.proj_in_gate  lq_proj.latent_proj.  project_modules.
a depth estimator   depth_head.  ^backbone.embeddings.patch_embeddings.
a segmentation model ^image_encoder.blocks.  ^image_encoder.trunk.  ^detector.backbone.  sam_mask_decoder.  ^sam_prompt
a T2I-Adapter       ^adapter.body.  ^adapter.conv_in.  ^body.0.block1.  ^body.0.in_conv.  ^body.0.resnets.
"""  # these contain, or look like, a diffusion model
_AFTER_DENOISERS = """
a hypernetwork      ^320.0.linear.  ^640.0.linear.  ^768.0.linear.  ^1024.0.linear.  ^1280.0.linear.
a motion module     .motion_modules.  .temporal_transformer.  .temporal_attentions.
a VAE               encoder.conv_in.  decoder.conv_in.  encoder.conv1.  decoder.conv1.  encoder.down_blocks.0.
a VAE               ^encoder.layers.0.conv  ^decoder.layers.1.conv  ^decoder.stages.  ^encoder.stages.  ^taesd_
a VAE               ^decoder.middle.  ^encoder.middle.  ^1.conv.0.weight$  ^3.conv.0.weight$  ^decoder.1.weight$
a VAE               ^pixel_space_vae
a text encoder      model.embed_tokens.  ^lm_head.  ^blk.0.attn_  ^enc.blk.0.
a CLIP vision model ^vision_model.  ^visual.  .patch_embedding.  .patch_embeddings.
a text encoder      text_model.embeddings.  text_model.encoder.  transformer.resblocks.0.  .SelfAttention.
a text encoder      embed_tokens.  layers.0.self_attn.q_proj.  ^shared.weight$
a face restorer     ^stylegan_decoder  ^conv_body_first.  ^quantize.embedding.
a part of Wan       ^vace_blocks.
a detector          ^model.0.conv.  ^model.model.0.conv.
a segmentation model mask_decoder.  ^bb.patch_embed.  ^stage1.rebnconvin.
an upscaler         ^body.0.weight$  ^conv_1.sk.  ^feats.0.
an upscaler         conv_first.  ^model.0.  ^body.0.rdb1.  RRDB_trunk.0.  ^layers.0.residual_group.  ^params_ema.
"""
_EMBEDDING = "an embedding (textual inversion)"
_COLUMN = 20  # where the telling parts begin; ^ stands for the beginning of a name, $ for its end


def _parse(table: str) -> tuple[tuple[str, list[str]], ...]:
    return tuple((line[:_COLUMN].strip(), _parts(line[_COLUMN:])) for line in table.strip().splitlines())


def _parts(text: str) -> list[str]:
    return [part.replace("^", "\n").replace("$", "\n") for part in text.split()]


BEFORE_DENOISERS = _parse(_BEFORE_DENOISERS)
AFTER_DENOISERS = _parse(_AFTER_DENOISERS)
EMBEDDING_WIDTHS = (768, 1024, 1280, 2048, 4096)
MOST_VECTORS = 512  # more than any text encoder reads
_EMBEDDING_NAMES = re.compile(r"(clip_[lgh]|t5(xxl)?|qwen\w*|gemma\w*|llama)(_out)?|emb_params|string_to_param\.\*|\*")
_FIRST_LAYER = re.compile(r"(^|[._])(img_in|x_embedder)[._]lora_(A|down)\b")
CONTROL_CHANNELS = 128  # FLUX.1's own 64, and as many of the picture that steers it
UPSCALER_CHANNELS = 7  # Stability's x4 upscaler: four of latents, three of the small picture


def companion_of_control(shapes: Shapes, names: TensorNames) -> str | None:
    """What a file is that has a diffusion model's names but steers another one; None for any other file."""
    return _first(BEFORE_DENOISERS, names) or _companion_lora(shapes, names)


def _companion_lora(shapes: Shapes, names: TensorNames) -> str | None:
    """Of a model that takes a second picture, or of AnimateDiff's motion modules."""
    if "img_in" in names or "x_embedder" in names:
        widths = {shape[1:] for name, shape in shapes.items() if _FIRST_LAYER.search(name)}
        if (CONTROL_CHANNELS,) in widths and not _is_for_flux2(shapes):
            return "a control LoRA"
    if ".motion_modules." in names and "lora" in names and all(".motion_modules." in name for name in shapes):
        return "a motion LoRA"
    return None


def _is_for_flux2(shapes: Shapes) -> bool:
    """Which has as many channels of its own."""
    fits = {fit.family.name for fit in judge(adapted_by(shapes)).fits}
    return "flux2" in fits and "flux" not in fits


def said_of(what: str) -> str:
    """Of what is no model to index, why it is none."""
    makes_other = what.startswith("a model of")
    return f"{what}, which generates {'no images' if makes_other else 'nothing on its own'}"


def bystander(shapes: Shapes) -> str | None:
    """What a file without diffusion model is, as far as that is known."""
    if _is_embedding(shapes):
        return _EMBEDDING
    return _first(AFTER_DENOISERS, TensorNames(shapes))


def is_latent_upscaler(shapes: Shapes, prefix: str) -> bool:
    shape = shapes.get(f"{prefix}input_blocks.0.0.weight") or shapes.get(f"{prefix}conv_in.weight") or ()
    return len(shape) == 4 and shape[1] == UPSCALER_CHANNELS


def _first(table: tuple[tuple[str, list[str]], ...], names: TensorNames) -> str | None:
    return next((what for what, parts in table if any(part in names for part in parts)), None)


def _is_embedding(shapes: Shapes) -> bool:
    """A few vectors as wide as a text encoder's, or called so."""
    if shapes and all(map(_EMBEDDING_NAMES.fullmatch, shapes)):
        return True
    few = 0 < len(shapes) <= 3 and sum(math.prod(shape[:-1]) for shape in shapes.values()) <= MOST_VECTORS
    return few and all(len(shape) in (1, 2) and shape[-1] in EMBEDDING_WIDTHS for shape in shapes.values())
