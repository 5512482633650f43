"""Which diffusion model a state dict holds: UNets by the width of their context, transformers by telling names.

Names are those of the original releases and of diffusers; compare `diffusers.loaders.single_file_utils` and ComfyUI's
`model_detection`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .networks import REFINER_WIDTHS, UNKNOWN, Shapes, context_architecture

PREFIXES = ("model.diffusion_model.", "", "diffusion_model.", "model.", "net.", "transformer.", "unet.", "prior.")
_SIGNATURES = """
flux3           early_stream_modulations.image.lin.weight
flux3           early_stream_modulations.image.linear.weight
flux2           single_stream_modulation.lin.weight
flux2           single_stream_modulation.linear.weight
chroma          distilled_guidance_layer.in_proj.weight
hunyuan_video   txt_in.individual_token_refiner.blocks.0.norm1.weight
hunyuan_video   context_embedder.token_refiner.refiner_blocks.0.norm1.weight
flux            double_blocks.0.img_attn.qkv.weight img_in.weight
flux            double_blocks.0.img_attn.norm.key_norm.scale img_in.weight
flux            single_transformer_blocks.0.proj_mlp.weight time_text_embed.text_embedder.linear_1.weight
sd3             joint_blocks.0.context_block.attn.qkv.weight
sd3             transformer_blocks.0.norm1_context.linear.weight pos_embed.proj.weight
auraflow        double_layers.0.attn.w1q.weight
auraflow        joint_transformer_blocks.0.attn.add_k_proj.weight register_tokens
stable_cascade  clip_txt_mapper.weight
stable_cascade  clip_mapper.weight down_blocks.1.0.channelwise.0.weight
stable_cascade  clip_txt_pooled_mapper.weight
hunyuan_dit     mlp_t5.0.weight
hunyuan_dit     time_extra_emb.pooler.positional_embedding blocks.0.attn2.to_k.weight
mochi           t5_yproj.weight
mochi           time_embed.pooler.to_kv.weight transformer_blocks.0.attn1.add_k_proj.weight
sana            blocks.0.cross_attn.q_linear.weight attention_y_norm.weight
sana            caption_norm.weight transformer_blocks.0.ff.conv_depth.weight
pixart          t_block.1.weight y_embedder.y_proj.fc1.weight
pixart          adaln_single.emb.timestep_embedder.linear_1.weight pos_embed.proj.weight
ltx2            audio_adaln_single.linear.weight
ltx2            audio_time_embed.linear.weight
ltxv            adaln_single.emb.timestep_embedder.linear_1.weight patchify_proj.weight
ltxv            time_embed.emb.timestep_embedder.linear_1.weight transformer_blocks.0.scale_shift_table
anima           llm_adapter.blocks.0.cross_attn.q_proj.weight
cosmos          blocks.block0.blocks.0.block.attn.to_q.0.weight
cosmos          blocks.0.mlp.layer1.weight blocks.0.self_attn.q_proj.weight
cosmos          transformer_blocks.0.norm1.linear_1.weight patch_embed.proj.weight
wan             head.modulation
wan             condition_embedder.time_proj.weight patch_embedding.weight
hidream         double_stream_blocks.0.block.adaLN_modulation.1.weight
z_image         all_x_embedder.2-1.weight
omnigen2        time_caption_embed.timestep_embedder.linear_1.weight ref_image_patch_embedder.weight
lumina2         time_caption_embed.caption_embedder.1.weight context_refiner.0.attn.to_q.weight
krea2           txtfusion.projector.weight
krea2           text_fusion.projector.weight
qwen_image      txt_in.text_norm.weight transformer_blocks.0.attn.norm_q.weight
qwen_image      txt_norm.weight transformer_blocks.0.img_mod.1.weight
kandinsky5      visual_transformer_blocks.0.cross_attention.key_norm.weight
cogview4        time_condition_embed.timestep_embedder.linear_1.weight patch_embed.text_proj.weight
cogvideox       blocks.0.norm1.linear.weight
cogvideox       patch_embed.text_proj.weight time_embedding.linear_1.weight
"""
SIGNATURES = tuple((line.split()[0], tuple(line.split()[1:])) for line in _SIGNATURES.strip().splitlines())
UNET_NAMES = ("input_blocks.0.0.weight", "conv_in.weight")
KOLORS_LABEL_WIDTH = 5632  # pooled ChatGLM features and sizes; SDXL's are 2816


def denoiser_of(shapes: Shapes) -> tuple[str, str] | None:
    """(prefix, architecture) of the diffusion model among the tensors, None when there is none that is known."""
    for prefix in PREFIXES:
        architecture = _transformer(shapes, prefix) or _unet(shapes, prefix)
        if architecture:
            return prefix, architecture
    if any(name.startswith(PREFIXES[0]) for name in shapes):
        return PREFIXES[0], UNKNOWN
    return None


def _transformer(shapes: Shapes, prefix: str) -> str | None:
    for architecture, names in SIGNATURES:
        if all(prefix + name in shapes for name in names):
            return architecture
    if f"{prefix}noise_refiner.0.attention.qkv.weight" in shapes:
        return REFINER_WIDTHS.get(shapes.get(f"{prefix}cap_embedder.1.weight", (0,))[0], UNKNOWN)
    return None


def _unet(shapes: Shapes, prefix: str) -> str | None:
    if not any(prefix + name in shapes for name in UNET_NAMES):
        return None
    contexts = [shapes[name] for name in _of(shapes, prefix) if name.endswith("attn2.to_k.weight")]
    if any(".time_stack." in name or ".temporal_transformer_blocks." in name for name in _of(shapes, prefix)):
        return "svd"
    if _is_kolors(shapes, prefix):
        return "kolors"
    return context_architecture(contexts[0][-1]) if contexts else None


def _is_kolors(shapes: Shapes, prefix: str) -> bool:
    labels = shapes.get(f"{prefix}label_emb.0.0.weight") or shapes.get(f"{prefix}add_embedding.linear_1.weight")
    return (bool(labels) and labels[-1] == KOLORS_LABEL_WIDTH) or f"{prefix}encoder_hid_proj.weight" in shapes


def _of(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> Iterator[str]:
    return (name for name in shapes if name.startswith(prefix))
