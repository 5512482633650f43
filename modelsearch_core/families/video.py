"""Families that make video; a picture of them is one frame."""

from __future__ import annotations

from .flux import blocks
from .layers import Layers
from .parts import (
    BYT5,
    CLIP_L,
    COGVIDEOX_VAE,
    COSMOS_VAE,
    FLUX_VAE,
    GEMMA_3,
    HUNYUAN_VIDEO_15_VAE,
    HUNYUAN_VIDEO_VAE,
    LLAVA,
    LTX_VAE,
    MOCHI_VAE,
    OLD_T5,
    QWEN_25_7B,
    T5,
    UMT5,
    WAN_22_VAE,
    WAN_VAE,
    Parts,
)
from .record import Family, FewSteps, Lineage, No, Recipe, Release, Variant, Work
from .shared import (
    A_TRANSFORMER,
    NO_FEW_STEPS,
    NO_LINEAGES,
    NO_SMALL_DECODER,
    NOT_IN_DIFFUSERS,
    NOT_QUANTISED,
)

JOINT = """
    double_blocks  (img|txt)_attn_qkv                             3 1
    double_blocks  (img|txt)_attn_([qkv]|proj)                    1 1
    double_blocks  (img|txt)_mlp_(0|fc1)                          4 1
    double_blocks  (img|txt)_mlp_(2|fc2)                          1 4
    double_blocks  (img|txt)_mod_lin(ear)?                        6 1
    single_blocks  linear1                                        7 1
    single_blocks  linear2                                        1 5
    single_blocks  modulation_lin(ear)?                           3 1
    transformer_blocks         attn_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)           1 1
    transformer_blocks         ff(_context)?_net_0_proj                                     4 1
    transformer_blocks         ff(_context)?_net_2                                          1 4
    transformer_blocks         norm1(_context)?_linear                                      6 1
    single_transformer_blocks  attn_to_[qkv]                                                1 1
    single_transformer_blocks  proj_mlp                                                     4 1
    single_transformer_blocks  proj_out                                                     1 5
    single_transformer_blocks  norm_linear                                                  3 1
    .*refiner_blocks           .*                                                           - -
    txt_in_individual_token_refiner_blocks  .*                                              - -
    -                          .*token_refiner.*|img_in_proj|(time|vector|guidance)_in_.*   - -
    -                          txt_in_.*|context_embedder_.*|x_embedder_proj                - -
    -                          time_text_embed_.*|norm_out_linear|proj_out|final_layer_.*   - -
"""
SPLIT = """
    transformer_blocks         attn[12]_(to_[qkv]|to_out_0)                                 1 1
    transformer_blocks         ff_net_0_proj                                                4 1
    transformer_blocks         ff_net_2                                                     1 4
"""
_ORIGINAL = ("double_blocks.{}.img_attn.proj.weight", "single_blocks.{}.linear2.weight")
_FUSED = ("double_blocks.{}.img_attn_proj.weight", "single_blocks.{}.linear2.weight")
_DIFFUSERS = ("transformer_blocks.{}.attn.to_q.weight",)
_REFINER = "txt_in.individual_token_refiner.blocks.0.norm1.weight"
_DIFFUSERS_REFINER = "context_embedder.token_refiner.refiner_blocks.0.norm1.weight"

HUNYUAN_VIDEO = Family(
    name="hunyuan_video",
    title="HunyuanVideo",
    words=("hunyuanvideo", "framepack", "hyvid"),
    releases=(
        Release((_REFINER, "vector_in.in_layer.weight", "double_blocks.0.img_attn.proj.weight"), _ORIGINAL),
        Release((_REFINER, "vector_in.in_layer.weight"), _FUSED),
        Release((_DIFFUSERS_REFINER, "time_text_embed.text_embedder.linear_1.weight"), _DIFFUSERS),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(JOINT),
    variants=(Variant(name="13b", width=3072, blocks=blocks(20, 40)),),
    lineages=(Lineage("framepack", "FramePack", r"frame[-_ ]?pack"),),
    classes=("HunyuanVideoTransformer", "HunyuanVideoFramepack"),
    gguf=("hyvid",),
    recipe=Recipe(size=512, steps=20, guidance=6.0, sampler="own", embeds_guidance=True),
    few_steps=(FewSteps(name="fast", pattern=r"\bfast\b", steps=6, guidance=6.0, shift=17.0, embeds_guidance=True),),
    work=Work(weights=6.8),
    parts=Parts("HUNYUAN_VIDEO", (CLIP_L, LLAVA), HUNYUAN_VIDEO_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=No("`taehv` is not read here"),
    rare=True,
)
HUNYUAN_VIDEO_15 = Family(
    name="hunyuan_video_15",
    title="HunyuanVideo 1.5",
    words=("hunyuanvideo15",),
    releases=(
        Release((_REFINER, "vision_in.proj.0.weight"), _ORIGINAL),
        Release((_DIFFUSERS_REFINER, "image_embedder.linear_1.weight"), _DIFFUSERS),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(JOINT),
    variants=(Variant(name="8b", width=2048, blocks={"double_blocks": 54, "transformer_blocks": 54}),),
    lineages=NO_LINEAGES,
    classes=("HunyuanVideo15",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=512, steps=20, guidance=6.0, sampler="own"),
    few_steps=(
        FewSteps(name="step-distilled", pattern=r"\bstep distill(?:ed)?\b", steps=8),
        FewSteps(name="CFG-distilled", pattern=r"\bcfg distill(?:ed)?\b|\bdistilled\b", steps=20),
    ),
    work=Work(weights=2.7),
    parts=Parts("HUNYUAN_VIDEO_15", (QWEN_25_7B, BYT5), HUNYUAN_VIDEO_15_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)
WAN = Family(
    name="wan",
    title="Wan 2.x",
    words=("wan2", "wanvideo", "wan"),
    releases=(
        Release(("head.modulation",), ("blocks.{}.self_attn.o.weight",)),
        Release(("condition_embedder.time_proj.weight", "patch_embedding.weight"), ("blocks.{}.attn1.to_q.weight",)),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (vace_)?blocks  (self|cross)_attn_[qkvo]                       1 1
        blocks          cross_attn_(k|v|norm_k)_img                    - -
        (vace_)?blocks  ffn_0                                          - 1
        (vace_)?blocks  ffn_2                                          1 -
        (vace_)?blocks  attn[12]_(to_[qkv]|to_out_0)                   1 1
        blocks          attn2_add_[kv]_proj                            1 -
        (vace_)?blocks  ffn_net_0_proj                                 - 1
        (vace_)?blocks  ffn_net_2                                      1 -
        blocks          (modulation|norm3|(self|cross)_attn_norm_.*)   - -
        -               text_embedding_.*|time_(embedding|projection)_.*|patch_embedding|head_.*|img_emb_.*  - -
        -               condition_embedder_.*|proj_out                 - -
    """),
    variants=(
        Variant(name="1.3b", width=1536, blocks={"blocks": 30}, work=Work(weights=1.3)),
        Variant(
            name="5b", width=3072, blocks={"blocks": 30}, words=("wan225b", "wan22ti2v5b"),
            parts=Parts("WAN", (UMT5,), WAN_22_VAE),
            work=Work(weights=5.0, token=32),
        ),
        Variant(name="14b", width=5120, blocks={"blocks": 40}),
    ),
    lineages=(
        Lineage("wan2.2", "Wan 2.2", r"wan[-_ ]?(video[-_ ]?)?2[-_.]?2"),
        Lineage("wan2.1", "Wan 2.1", r"wan[-_ ]?(video[-_ ]?)?(2[-_.]?1|1\.3b|14b)"),
    ),
    classes=("Wan", "ChronoEdit", "SkyReelsV2"),
    gguf=("wan",),
    recipe=Recipe(size=512, steps=20, guidance=5.0, sampler="own"),
    few_steps=(
        FewSteps(
            name="lightx2v LoRA",
            pattern=r"^(?!.*\b(?:high|low)\b)(?=.*\bt2v\b).*\b(?:lightx2v|lightning)\b",
            steps=4,
            is_lora=True,
        ),
        FewSteps(
            name="lightx2v, turbo",
            pattern=r"\b(?:lightx2v|lightning|turbo|rapid|causvid|fastwan\w*|distill(?:ed)?)\b",
            steps=4,
        ),
    ),
    work=Work(weights=14.0),
    parts=Parts("WAN", (UMT5,), WAN_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=No("`taew2_1` is not read here"),
)  # fmt: skip
LTX2 = Family(
    name="ltx2",
    title="LTX-2",
    words=("ltx2", "ltxv2", "ltxav", "lightricksltx2", "ltxvideo2"),
    releases=(Release(("audio_adaln_single.linear.weight",)), Release(("audio_time_embed.linear.weight",))),
    unet=A_TRANSFORMER,
    layers=Layers(
        SPLIT
        + """
        transformer_blocks  audio_attn[12]_(to_[qkv]|to_out_0)                                  0.5 0.5
        transformer_blocks  audio_ff_net_(0_proj|2)                                             - -
        transformer_blocks  (audio_to_video|video_to_audio)_attn_(to_[qkv]|to_out_0)            - -
        -                   (audio_|av_|patchify_proj|adaln_single|caption_projection|proj_).*  - -
        """
    ),
    variants=(Variant(name="19b", width=4096, blocks={"transformer_blocks": 48}),),
    lineages=NO_LINEAGES,
    classes=("LTX2",),
    gguf=("ltxav",),
    recipe=Recipe(size=512, steps=20, guidance=4.0, sampler="own"),
    few_steps=(FewSteps(name="distilled", pattern=r"\bdistilled\b", steps=8),),
    work=Work(weights=14.0, token=32),
    parts=Parts("LTXV", (GEMMA_3,), LTX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
LTXV = Family(
    name="ltxv",
    title="LTX-Video",
    words=("ltxv", "ltxvideo", "ltx"),
    releases=(
        Release(
            ("adaln_single.emb.timestep_embedder.linear_1.weight", "patchify_proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
        Release(
            (
                "time_embed.emb.timestep_embedder.linear_1.weight",
                "transformer_blocks.0.scale_shift_table",
                "proj_in.weight",
            ),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(SPLIT + "\n - (patchify_proj|adaln_single.*|caption_projection.*|proj_(in|out)|time_embed.*) - -"),
    variants=(
        Variant(name="2b", width=2048, blocks={"transformer_blocks": 28}),
        Variant(name="13b", width=4096, blocks={"transformer_blocks": 48}, work=Work(weights=13.0, token=32)),
    ),
    lineages=NO_LINEAGES,
    classes=("LTXVideo",),
    gguf=("ltxv",),
    recipe=Recipe(size=512, steps=20, guidance=3.0, sampler="own"),
    few_steps=(FewSteps(name="distilled", pattern=r"\bdistilled\b", steps=8),),
    work=Work(weights=1.9, token=32),
    parts=Parts("LTXV", (T5,), LTX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)
PREDICT2 = """
    blocks               self_attn_(q|k|v|output)_proj         1 1
    blocks               cross_attn_(q|output)_proj            1 1
    blocks               cross_attn_[kv]_proj                  1 -
    blocks               mlp_layer1                            4 1
    blocks               mlp_layer2                            1 4
    blocks               adaln_modulation_.*                   - -
    transformer_blocks   norm[123]_linear_[12]                 - -
    -                    x_embedder_.*|t_embedder_.*|final_layer_.*  - -
"""
COSMOS = Family(
    name="cosmos",
    title="Cosmos",
    words=("cosmos", "nvidiacosmos"),
    releases=(
        Release(
            ("blocks.block0.blocks.0.block.attn.to_q.0.weight",),
            ("blocks.block{}.blocks.0.block.attn.to_q.0.weight",),
        ),
        Release(
            ("blocks.0.mlp.layer1.weight", "blocks.0.self_attn.q_proj.weight"), ("blocks.{}.self_attn.q_proj.weight",)
        ),
        Release(
            ("transformer_blocks.0.norm1.linear_1.weight", "patch_embed.proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        SPLIT
        + PREDICT2
        + """
    blocks_block\\d+_blocks  block_attn_to_q_0  1 1
    blocks_block\\d+_blocks  .*                 - -
    """
    ),
    variants=(
        Variant(  # Predict 2 was trained on Wan's latents
            name="2b", width=2048, blocks={"blocks": 28, "transformer_blocks": 28},
            parts=Parts("COSMOS", (OLD_T5,), WAN_VAE),
        ),
        Variant(name="7b", width=4096, blocks={"transformer_blocks": 28}, work=Work(weights=7.0)),
        Variant(
            name="14b", width=5120, blocks={"blocks": 36, "transformer_blocks": 36}, work=Work(weights=14.0),
            parts=Parts("COSMOS", (OLD_T5,), WAN_VAE),
        ),
    ),
    lineages=NO_LINEAGES,
    classes=("Cosmos",),
    gguf=("cosmos",),
    recipe=Recipe(size=512, steps=20, guidance=4.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=2.0),
    parts=Parts("COSMOS", (OLD_T5,), COSMOS_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)  # fmt: skip
MOCHI = Family(
    name="mochi",
    title="Mochi",
    words=("mochi", "genmomochi"),
    releases=(
        Release(("t5_yproj.weight",)),
        Release(
            ("time_embed.pooler.to_kv.weight", "transformer_blocks.0.attn1.add_k_proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        transformer_blocks  attn1_(to_[qkv]|to_out_0)                     1 1
        transformer_blocks  attn1_add_[qkv]_proj                          1 0.5
        transformer_blocks  attn1_to_add_out                            0.5 1
        transformer_blocks  ff_net_(0_proj|2)                             - -
        transformer_blocks  ff_context_net_(0_proj|2)                     - -
        transformer_blocks  norm1(_context)?_linear(_1)?                  - 1
        blocks              attn_qkv_x                                    3 1
        blocks              attn_qkv_y                                    3 0.5
        blocks              attn_proj_x                                   1 1
        blocks              attn_proj_y                                 0.5 1
        blocks              (mod|mlp)_[xy](_w\\d)?                        - -
        -                   t5_y_embedder_.*|t5_yproj|t_embedder_.*       - -
    """),
    variants=(Variant(name="10b", width=3072, blocks={"transformer_blocks": 48, "blocks": 48}),),
    lineages=NO_LINEAGES,
    classes=("Mochi",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=512, steps=20, guidance=4.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=10.0),
    parts=Parts("MOCHI", (T5,), MOCHI_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
COGVIDEOX = Family(
    name="cogvideox",
    title="CogVideoX",
    words=(
        "cogvideox",
        "cogvideo",
    ),
    releases=(
        Release(("blocks.0.norm1.linear.weight",)),
        Release(
            ("patch_embed.text_proj.weight", "time_embedding.linear_1.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (transformer_)?blocks  attn1_(to_[qkv]|to_out_0)                  1 1
        (transformer_)?blocks  ff_net_0_proj                              4 1
        (transformer_)?blocks  ff_net_2                                   1 4
        (transformer_)?blocks  norm[12]_linear                            6 -
        -                      patch_embed_.*|time_embedding_.*|proj_out  - -
    """),
    variants=(
        Variant(name="2b", width=1920, blocks={"transformer_blocks": 30, "blocks": 30}),
        Variant(name="5b", width=3072, blocks={"transformer_blocks": 42, "blocks": 42}, work=Work(weights=5.5)),
    ),
    lineages=NO_LINEAGES,
    classes=("CogVideoX",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=512, steps=20, guidance=6.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=1.7),
    parts=Parts("COGVIDEOX", (T5,), COGVIDEOX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
KANDINSKY5 = Family(
    name="kandinsky5",
    title="Kandinsky 5",
    words=("kandinsky5",),
    releases=(
        Release(
            ("visual_transformer_blocks.0.cross_attention.key_norm.weight",),
            ("visual_transformer_blocks.{}.self_attention.to_query.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (visual|text)_transformer_blocks  (self|cross)_attention_(to_(query|key|value)|out_layer)  1 1
        (visual|text)_transformer_blocks  feed_forward_in_layer                                    - 1
        (visual|text)_transformer_blocks  feed_forward_out_layer                                   1 -
        (visual|text)_transformer_blocks  (visual|text)_modulation_out_layer                       - -
        -                                 (time|text|visual|pooled_text)_embeddings_.*             - -
    """),
    variants=(
        Variant(name="lite-video", width=1792, blocks={"visual_transformer_blocks": 32}),
        Variant(
            name="lite-image", width=2560, blocks={"visual_transformer_blocks": 50},
            parts=Parts("KANDINSKY5_IMAGE", (QWEN_25_7B, CLIP_L), FLUX_VAE),
            recipe=Recipe(size=768, steps=25, guidance=3.5, sampler="own"),
            work=Work(weights=6.0),
        ),
        Variant(name="pro", width=4096, blocks={"visual_transformer_blocks": 60}, work=Work(weights=19.0)),
    ),
    lineages=NO_LINEAGES,
    classes=("Kandinsky5",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=512, steps=20, guidance=5.0, sampler="own"),
    few_steps=(
        FewSteps(name="distilled", pattern=r"\bdistill(?:ed)?\w*\b", steps=16),
        FewSteps(name="no CFG", pattern=r"\bno ?cfg\b", steps=20),
    ),
    work=Work(weights=2.0),
    parts=Parts("KANDINSKY5", (QWEN_25_7B, CLIP_L), HUNYUAN_VIDEO_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)  # fmt: skip
