"""Families of 2026 that few models are made for yet."""

from __future__ import annotations

from .layers import Layers
from .parts import (
    FLUX2_VAE,
    FLUX_VAE,
    GEMMA_2,
    GPT_OSS,
    MAGE_VAE,
    MINISTRAL,
    PIXELS,
    QWEN_3VL_4B,
    QWEN_3VL_8B,
    WAN_VAE,
    Parts,
)
from .record import Family, FewSteps, No, Recipe, Release, Variant, Work
from .shared import (
    A_TRANSFORMER,
    NO_FEW_STEPS,
    NO_LAYERS,
    NO_LINEAGES,
    NO_SMALL_DECODER,
    NOT_IN_COMFYUI,
    NOT_IN_DIFFUSERS,
    NOT_QUANTISED,
    ONE_WIDTH,
    OTHER,
)

_JOINT = """
    transformer_blocks  attn_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)  1 1
    transformer_blocks  attn_(img|txt)_qkv                                  3 1
"""


def _family(
    name: str,
    title: str,
    words: tuple[str, ...],
    *releases: Release,
    work: Work | No,
    layers: str = "",
    variants: tuple[Variant, ...] = (),
    classes: tuple[str, ...] = (),
    recipe: Recipe = OTHER,
    few_steps: tuple[FewSteps, ...] = (),
    parts: Parts | No = NOT_IN_COMFYUI,
) -> Family:
    """A record of which nobody has more to say yet."""
    return Family(
        name=name,
        title=title,
        words=words,
        releases=releases,
        unet=A_TRANSFORMER,
        layers=Layers(layers) if layers else NO_LAYERS,
        variants=variants or ONE_WIDTH,
        lineages=NO_LINEAGES,
        classes=classes or No("diffusers does not have it"),
        gguf=NOT_QUANTISED,
        recipe=recipe,
        few_steps=few_steps or NO_FEW_STEPS,
        work=work,
        parts=parts,
        pipeline=NOT_IN_DIFFUSERS,
        small_decoder=NO_SMALL_DECODER,
    )


LENS = _family(
    "lens",
    "Lens",
    ("lens",),
    Release(("transformer_blocks.0.attn.norm_added_q.weight", "transformer_blocks.0.img_mlp.w1.weight")),
    layers=_JOINT + "transformer_blocks  (img|txt)_(mlp_w[123]|mod_1)  - -",
    variants=(Variant(name="3b", width=1536, blocks={"transformer_blocks": 48}),),
    work=Work(weights=1.4),
    parts=Parts("LENS", (GPT_OSS,), FLUX2_VAE),
)
MAGE_FLOW = _family(
    "mage_flow",
    "Mage-Flow",
    ("mageflow",),
    Release(("txt_norm.weight=2560", "proj_out.weight", "transformer_blocks.0.attn.to_q.weight")),
    work=Work(weights=1.4),
    parts=Parts("MAGE", (QWEN_3VL_4B,), MAGE_VAE),
)
QWEN_IMAGE_21 = _family(
    "qwen_image_21",
    "Qwen-Image 2.1",
    ("qwenimage21",),
    Release(("transformer_blocks.0.img_mlp.gate_layer.weight", "txt_in.in_layer.weight")),
    layers="""
        transformer_blocks  attn_(to_[qkv]|to_out_0)        1 1
        transformer_blocks  img_mlp_(proj|gate_layer)       3 1
        transformer_blocks  img_mlp_out                     1 3
    """,
    variants=(Variant(name="7b", width=4096, blocks={"transformer_blocks": 32}),),
    classes=("QwenImage21",),
    work=Work(weights=7.0),
)
JOYIMAGE = _family(
    "joyimage",
    "JoyAI-Image",
    ("joyimage", "joyaiimage"),
    Release(("double_blocks.0.attn.img_attn_qkv.weight", "condition_embedder.time_embedder.linear_1.weight")),
    layers="""
        double_blocks  attn_(img|txt)_attn_qkv              3 1
        double_blocks  attn_(img|txt)_attn_proj             1 1
        double_blocks  (img|txt)_mlp_net_0_proj             4 1
        double_blocks  (img|txt)_mlp_net_2                  1 4
        -              condition_embedder_.*                - -
    """,
    classes=("JoyImage",),
    work=Work(weights=8.1),
    parts=Parts("JOYIMAGE", (QWEN_3VL_8B,), WAN_VAE),
)
BOOGU = _family(
    "boogu",
    "Boogu-Image",
    ("boogu",),
    Release(("double_stream_layers.0.img_instruct_attn.processor.img_to_q.weight",)),
    layers="""
        (double|single)_stream_layers  .*                   - -
    """,
    recipe=Recipe(size=768, steps=25, guidance=4.5, sampler="own"),
    few_steps=(FewSteps(name="turbo", pattern=r"\bturbo\b", steps=4, sampler="lcm"),),
    work=Work(weights=7.2),
    parts=Parts("BOOGU", (QWEN_3VL_8B,), FLUX_VAE),
)
ERNIE_IMAGE = _family(
    "ernie_image",
    "ERNIE-Image",
    ("ernieimage", "ernie"),
    Release(("layers.0.mlp.linear_fc2.weight",)),
    layers="""
        layers  self_attention_(to_[qkv]|to_out_0)          1 1
        layers  mlp_(gate|up)_proj                          3 1
        layers  mlp_linear_fc2                              1 3
    """,
    variants=(Variant(name="8b", width=4096, blocks={"layers": 36}),),
    classes=("ErnieImage",),
    recipe=Recipe(size=768, steps=20, guidance=4.0, sampler="own"),
    few_steps=(FewSteps(name="turbo", pattern=r"\bturbo\b", steps=8),),
    work=Work(weights=7.9),
    parts=Parts("FLUX2", (MINISTRAL,), FLUX2_VAE),
)
IDEOGRAM4 = _family(
    "ideogram4",
    "Ideogram 4",
    ("ideogram4", "ideogram"),
    Release(("embed_image_indicator.weight", "input_proj.weight")),
    layers="""
        layers  attention_(to_[qkv]|to_out_0|o)             1 1
        layers  attention_qkv                               3 1
        layers  feed_forward_w[123]                         - -
        layers  adaln_modulation                            - -
        -       (input_proj|llm_cond_proj|t_embedding_.*|adaln_proj)  - -
    """,
    variants=(Variant(name="9b", width=4608, blocks={"layers": 34}),),
    classes=("Ideogram4",),
    work=Work(weights=8.7),
    parts=Parts("IDEOGRAM4", (QWEN_3VL_8B,), FLUX2_VAE),
)
HIDREAM_O1 = _family(
    "hidream_o1",
    "HiDream-O1",
    ("hidreamo1",),
    Release(("t_embedder1.mlp.0.weight", "x_embedder.proj1.weight")),
    work=Work(weights=6.9, token=32),
    parts=No("its checkpoint holds all that it needs"),
)
PIXELDIT = _family(
    "pixeldit",
    "PixelDiT",
    ("pixeldit",),
    Release(("core.pixel_embedder.proj.weight", "!lq_proj.latent_proj.0.weight")),
    work=Work(weights=0.63, text=300),
    parts=Parts("PIXELDIT", (GEMMA_2,), PIXELS),
)
NUCLEUS = _family(
    "nucleus_image",
    "Nucleus-Image",
    ("nucleusimage", "nucleus"),
    Release(("transformer_blocks.0.encoder_proj.weight", "transformer_blocks.0.attn.to_q.weight")),
    classes=("Nucleus",),
    work=Work(weights=1.2, text=0),  # of its 64 experts a token meets the shared one and two others, on average
)
PRX = _family(
    "prx",
    "PRX",
    ("prx",),
    Release(("blocks.0.attention.img_qkv_proj.weight",)),
    layers="""
        blocks  attention_img_qkv_proj                      3 1
        blocks  attention_txt_kv_proj                       2 1
        blocks  attention_to_out_0                          1 1
        blocks  (gate|up|down)_proj|modulation_lin          - -
    """,
    classes=("PRX",),
    work=Work(weights=0.74, text=0),
)
SANA_VIDEO = _family(
    "sana_video",
    "SANA-Video",
    ("sanavideo",),
    Release(("patch_embedding.weight", "caption_norm.weight", "transformer_blocks.0.ff.conv_depth.weight")),
    Release(("blocks.0.mlp.t_conv.weight", "attention_y_norm.weight")),
    classes=("SanaVideo",),
    work=Work(weights=1.7, text=0),
)
KANDINSKY6 = _family(
    "kandinsky6",
    "Kandinsky 6",
    ("kandinsky6",),
    Release(("video_text_transformer_blocks.0.text_modulation.out_layer.weight",)),
    classes=("Kandinsky6Transformer",),
    work=No("not known: it is of 3 or 29 billion weights, which are not told apart yet"),
)
COSMOS3 = _family(
    "cosmos3",
    "Cosmos 3",
    ("cosmos3", "nvidiacosmos3"),
    Release(("layers.0.mlp_moe_gen.gate_proj.weight",)),
    classes=("Cosmos3",),
    work=Work(weights=7.0, token=32),
)
COGVIEW3 = _family(
    "cogview3",
    "CogView3-Plus",
    ("cogview3",),
    Release(
        (
            *("time_condition_embed.timestep_embedder.linear_1.weight", "patch_embed.text_proj.weight"),
            "transformer_blocks.0.attn1.to_q.weight=2560",
        )
    ),
    layers="""
        transformer_blocks  attn1_(to_[qkv]|to_out_0)       1 1
        transformer_blocks  ff_net_0_proj                   4 1
        transformer_blocks  ff_net_2                        1 4
        transformer_blocks  norm1_linear                   12 -
    """,
    variants=(Variant(name="3b", width=2560, blocks={"transformer_blocks": 30}),),
    classes=("CogView3Plus",),
    work=Work(weights=2.4, text=224),
)
MOTIF_VIDEO = _family(
    "motif_video",
    "Motif-Video",
    ("motifvideo", "motif"),
    Release(
        (
            "single_transformer_blocks.0.proj_mlp.weight",
            "context_embedder.linear_1.weight",
            "time_text_embed.timestep_embedder.linear_1.weight",
        )
    ),
    classes=("MotifVideo",),
    work=Work(weights=1.0),
)
BRIA_FIBO_2 = _family(
    "bria_fibo_2",
    "FIBO 2",
    ("fibo2", "briafibo2"),
    Release(("perceiver.layers.0.cross_attention.to_q.weight", "layers.0.attention.to_q.weight")),
    classes=("BriaFibo2",),
    work=Work(weights=7.2),
)
MINIMAX_H3 = _family(
    "minimax_h3",
    "MiniMax H3",
    ("minimaxh3",),
    Release(("video_patch_proj.weight", "audio_patch_proj.weight")),
    Release(("audio_proj_in.weight", "transformer_blocks.0.adaln_proj.linear.weight")),
    layers="""
        blocks              attn_qkv_proj                   3 1
        blocks              attn_out_proj                   1 1
        blocks              mlp_fc[12]                      - -
        (transformer_)?blocks  adaln_proj_linear            - -
        token_refiner_(refiner_)?blocks  .*                 - -
        -                   (video|audio)_patch_proj|condition_proj|time_embedder_.*|final_layer_.*  - -
    """,
    classes=("MiniMaxH3",),
    work=Work(weights=19.3, token=32),
    parts=No("its text encoder has 32 billion parameters; load it as its own workflow does"),
)
