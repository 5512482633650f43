"""Transformers that make pictures, other than FLUX and Stable Diffusion 3."""

from __future__ import annotations

from .flux import blocks
from .layers import Layers
from .parts import (
    BYT5,
    CLIP_G,
    CLIP_L,
    FLUX_VAE,
    GEMMA_2,
    GEMMA_3_4B,
    HUNYUAN_IMAGE_VAE,
    JINA_CLIP,
    LLAMA,
    PILE_T5,
    PIXELS,
    QWEN_3_06B,
    QWEN_3_4B,
    QWEN_3VL_4B,
    QWEN_25_3B,
    QWEN_25_7B,
    QWEN_IMAGE_VAE,
    SDXL_VAE,
    T5,
    Parts,
)
from .record import Family, FewSteps, Lineage, No, Recipe, Release, Variant, Work
from .shared import (
    A_TRANSFORMER,
    NO_FEW_STEPS,
    NO_LINEAGES,
    NO_SMALL_DECODER,
    NOT_IN_COMFYUI,
    NOT_IN_DIFFUSERS,
    NOT_QUANTISED,
)
from .video import JOINT, PREDICT2, SPLIT

HUNYUAN_IMAGE = Family(
    name="hunyuan_image",
    title="HunyuanImage 2.1",
    words=("hunyuanimage",),
    releases=(
        Release(
            (
                "txt_in.individual_token_refiner.blocks.0.norm1.weight",
                "!vector_in.in_layer.weight",
                "!vision_in.proj.0.weight",
            ),
            ("double_blocks.{}.img_attn.proj.weight", "single_blocks.{}.linear2.weight"),
        ),
        Release(
            (
                "context_embedder.token_refiner.refiner_blocks.0.norm1.weight",
                "time_guidance_embed.timestep_embedder.linear_1.weight",
            ),
            ("transformer_blocks.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(JOINT),
    variants=(Variant(name="17b", width=3584, blocks=blocks(20, 40)),),
    lineages=NO_LINEAGES,
    classes=("HunyuanImage",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=3.5, sampler="own"),
    few_steps=(FewSteps(name="distilled", pattern=r"\bdistilled\b", steps=8, guidance=3.25, embeds_guidance=True),),
    work=Work(weights=9.2, token=32),
    parts=Parts("HUNYUAN_IMAGE", (QWEN_25_7B, BYT5), HUNYUAN_IMAGE_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)
AURAFLOW = Family(
    name="auraflow",
    title="AuraFlow",
    words=("auraflow", "ponyv7", "ponydiffusionv7", "pony7"),
    releases=(
        Release(("double_layers.0.attn.w1q.weight",), ("double_layers.{}.attn.w1q.weight",)),
        Release(
            ("joint_transformer_blocks.0.attn.add_k_proj.weight", "register_tokens"),
            ("joint_transformer_blocks.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        joint_transformer_blocks   attn_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)  1 1
        single_transformer_blocks  attn_(to_[qkv]|to_out_0)                            1 1
        (joint|single)_transformer_blocks  ff(_context)?_linear_[12]                   - 1
        (joint|single)_transformer_blocks  ff(_context)?_out_projection                1 -
        (joint|single)_transformer_blocks  norm1(_context)?_linear                     6 1
        (double|single)_layers     attn_w[12][qkvo]                                    1 1
        (double|single)_layers     mlp[XC]?_c_.*                                       - -
        (double|single)_layers     mod[XC]?_.*                                         - -
        -                          context_embedder|cond_seq_linear|init_x_linear|t_embedder_.*|time_step_.*  - -
    """),
    variants=(
        Variant(
            name="7b", width=3072,
            blocks={
                **{"joint_transformer_blocks": 4, "double_layers": 4},
                **{"single_transformer_blocks": 32, "single_layers": 32},
            },
        ),
    ),
    lineages=(Lineage("pony_v7", "Pony V7", r"pony[-_ ]?(diffusion)?[-_ ]?v?7"),),
    classes=("AuraFlow",),
    gguf=("aura",),
    recipe=Recipe(size=768, steps=25, guidance=3.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=6.5),
    parts=Parts("STABLE_DIFFUSION", (PILE_T5,), SDXL_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taesdxl",
)  # fmt: skip
HUNYUAN_DIT = Family(
    name="hunyuan_dit",
    title="Hunyuan-DiT",
    words=("hunyuandit", "hunyuan1"),
    releases=(
        Release(("mlp_t5.0.weight",)),
        Release(("time_extra_emb.pooler.positional_embedding", "blocks.0.attn2.to_k.weight")),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        blocks  attn1_Wqkv                      3 1
        blocks  attn2_kv_proj                   - -
        blocks  attn[12]_(q_proj|out_proj)      1 1
        blocks  attn1_to_[kv]                   1 1
        blocks  attn2_to_[kv]                   1 -
        blocks  attn[12]_(to_q|to_out_0)        1 1
        blocks  (ff_net_.*|mlp_fc[12]|skip_linear|default_modulation_1|norm1_linear)  - -
    """),
    variants=(Variant(name="g2", width=1408, blocks={"blocks": 40}),),
    lineages=NO_LINEAGES,
    classes=("HunyuanDiT",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=25, guidance=5.0, sampler="own"),
    few_steps=(FewSteps(name="distilled", pattern=r"\bdistill(?:ed)?\b", steps=20, guidance=5.0),),
    work=Work(weights=1.3),
    parts=No("its two text encoders lie in its checkpoint only"),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taesdxl",
)
SANA = Family(
    name="sana",
    title="Sana",
    words=("sana", "efficientlargemodelsana"),
    releases=(
        Release(
            (
                *("blocks.0.cross_attn.q_linear.weight", "attention_y_norm.weight"),
                *("!blocks.0.mlp.t_conv.weight", "!raymap_embedder.proj.weight"),
            )
        ),
        Release(
            ("caption_norm.weight", "transformer_blocks.0.ff.conv_depth.weight", "patch_embed.proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        transformer_blocks  attn[12]_(to_[qkv]|to_out_0)      1 1
        transformer_blocks  ff_conv_.*                        - -
        blocks              attn_qkv                          3 1
        blocks              attn_proj|cross_attn_(q_linear|proj)  1 1
        blocks              cross_attn_kv_linear              2 1
        blocks              mlp_.*_conv_conv                  - -
        -                   patch_embed_proj|time_embed_.*|caption_projection_.*|proj_out  - -
    """),
    variants=(
        Variant(name="1.6b", width=2240, blocks={"transformer_blocks": 60, "blocks": 60}),
        Variant(
            name="0.6b", width=1152, blocks={"transformer_blocks": 28, "blocks": 28}, work=Work(weights=0.6, token=32)
        ),
    ),
    lineages=NO_LINEAGES,
    classes=("Sana",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    few_steps=(FewSteps(name="sprint", pattern=r"\bsprint\b", steps=2, guidance=4.5, embeds_guidance=True),),
    work=Work(weights=1.6, token=32),
    parts=NOT_IN_COMFYUI,
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
PIXART = Family(
    name="pixart",
    title="PixArt",
    words=(
        "pixartsigma",
        "pixartalpha",
        "pixart",
    ),
    releases=(
        Release(("t_block.1.weight", "y_embedder.y_proj.fc1.weight"), ("blocks.{}.attn.proj.weight",)),
        Release(
            ("adaln_single.emb.timestep_embedder.linear_1.weight", "pos_embed.proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        SPLIT
        + """
        blocks  attn_qkv                              3 1
        blocks  attn_proj|cross_attn_(q_linear|proj)  1 1
        blocks  cross_attn_kv_linear                  2 1
        blocks  mlp_fc1                               4 1
        blocks  mlp_fc2                               1 4
        -       adaln_single_.*|caption_projection_.*|proj_out|pos_embed_proj  - -
        """
    ),
    variants=(Variant(name="xl2", width=1152, blocks={"transformer_blocks": 28, "blocks": 28}),),
    lineages=NO_LINEAGES,
    classes=("PixArt",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    few_steps=(FewSteps(name="LCM", pattern=r"\blcm\b", steps=4, sampler="lcm"),),
    work=Work(weights=0.6),
    parts=Parts("PIXART", (T5,), SDXL_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taesdxl",
)
ANIMA = Family(
    name="anima",
    title="Anima",
    words=("anima",),
    releases=(Release(("llm_adapter.blocks.0.cross_attn.q_proj.weight",), ("blocks.{}.self_attn.q_proj.weight",)),),
    unet=A_TRANSFORMER,
    layers=Layers(
        PREDICT2
        + """
        llm_adapter_blocks  .*                                                     - -
        -                   llm_adapter_.*                                         - -
        lora_te_layers      (mlp_(gate|up|down)|self_attn_[qkvo])_proj             - -
    """
    ),
    variants=(Variant(name="2b", width=2048, blocks={"blocks": 28}),),
    lineages=NO_LINEAGES,
    classes=No("diffusers does not have it"),
    gguf=("anima",),
    recipe=Recipe(size=768, steps=25, guidance=4.0, sampler="own"),
    few_steps=(
        FewSteps(name="turbo LoRA", pattern=r"\banima turbo lora\b", steps=8, is_lora=True),
        FewSteps(name="turbo", pattern=r"\bturbo\b", steps=8),
    ),
    work=Work(weights=1.9),
    parts=Parts("STABLE_DIFFUSION", (QWEN_3_06B,), QWEN_IMAGE_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
HIDREAM = Family(
    name="hidream",
    title="HiDream-I1",
    words=("hidreami1", "hidream"),
    releases=(
        Release(
            ("double_stream_blocks.0.block.adaLN_modulation.1.weight",),
            ("double_stream_blocks.{}.block.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (double|single)_stream_blocks  block_attn1_to_(q|k|v|out)(_t)?    1 1
        (double|single)_stream_blocks  block_adaLN_modulation_1           - 1
        (double|single)_stream_blocks  block_ff_[it].*                    - -
        -                              [xpt]_embedder_.*|final_layer_.*  - -
    """),
    variants=(Variant(name="17b", width=2560, blocks={"double_stream_blocks": 16, "single_stream_blocks": 32}),),
    lineages=NO_LINEAGES,
    classes=("HiDreamImage",),
    gguf=("hidream",),
    recipe=Recipe(size=768, steps=25, guidance=5.0, sampler="own"),
    few_steps=(
        FewSteps(name="dev", pattern=r"\bdev\b", steps=28, sampler="lcm", shift=6.0),
        FewSteps(name="fast", pattern=r"\bfast\b", steps=16, sampler="lcm"),
    ),
    work=Work(weights=7.6),
    parts=Parts("HIDREAM", (CLIP_L, CLIP_G, T5, LLAMA), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
)
LUMINA_LAYERS = """
    (layers|noise_refiner|context_refiner)  attention_qkv                   - 1
    (layers|noise_refiner|context_refiner)  attention_(to_q|to_out_0|out)   1 1
    (layers|noise_refiner|context_refiner)  feed_forward_w[13]              - 1
    (layers|noise_refiner|context_refiner)  feed_forward_w2                 1 -
    (layers|noise_refiner|context_refiner)  adaLN_modulation_\\d            4 -
    -                                       cap_embedder_.*|x_embedder|t_embedder_.*|final_layer_.*|all_.*  - -
"""
Z_IMAGE = Family(
    name="z_image",
    title="Z-Image",
    words=(
        "zimageturbo",
        "zimagebase",
        "zimage",
    ),
    releases=(
        Release(("all_x_embedder.2-1.weight",), ("layers.{}.attention.to_q.weight",)),
        Release(("layers.0.attention.to_qkv.weight", "cap_embedder.1.weight"), ("layers.{}.attention.to_qkv.weight",)),
        Release(
            ("noise_refiner.0.attention.qkv.weight", "cap_embedder.1.weight"),
            ("noise_refiner.{}.attention.qkv.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(LUMINA_LAYERS + "\n (layers|noise_refiner|context_refiner) attention_to_[kv] 1 1"),
    variants=(Variant(name="6b", width=3840, blocks={"layers": 30}),),
    lineages=(Lineage("z_image_turbo", "Z-Image Turbo", r"z[-_ ]?image[-_ ]?(.*)turbo"),),
    classes=("ZImage",),
    gguf=("z_image", "lumina2"),
    recipe=Recipe(size=768, steps=25, guidance=4.0, sampler="own"),
    few_steps=(FewSteps(name="turbo", pattern=r"\bturbo\b", steps=8),),
    work=Work(weights=5.7),
    parts=Parts("LUMINA2", (QWEN_3_4B,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
)
ZETA_CHROMA = Family(
    name="zeta_chroma",
    title="Zeta-Chroma",
    words=("zetachroma",),
    releases=(Release(("dec_net.cond_embed.weight", "cap_embedder.1.weight")),),
    unet=A_TRANSFORMER,
    layers=Layers(
        LUMINA_LAYERS + "\n (layers|noise_refiner|context_refiner) attention_to_[kv] 1 1 \n - dec_net_.* - -"
    ),
    variants=(Variant(name="6b", width=3840, blocks={"layers": 30}),),
    lineages=NO_LINEAGES,
    classes=No("diffusers does not have it"),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=25, guidance=4.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=5.7),
    parts=Parts("LUMINA2", (QWEN_3_4B,), PIXELS),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=No("it makes pixels, no latents"),
    rare=True,
)
NEWBIE = Family(
    name="newbie_image",
    title="NewBie-Image",
    words=("newbieimage", "newbie"),
    releases=(
        Release(
            ("noise_refiner.0.attention.qkv.weight", "clip_text_pooled_proj.0.weight"),
            ("noise_refiner.{}.attention.qkv.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(LUMINA_LAYERS + "\n - clip_text_pooled_proj_.*|time_text_embed - -"),
    variants=(Variant(name="3.5b", width=2304, blocks={"layers": 36}),),
    lineages=NO_LINEAGES,
    classes=No("diffusers does not have it"),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=25, guidance=4.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=3.2),
    parts=Parts("NEWBIE", (GEMMA_3_4B, JINA_CLIP), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
    rare=True,
)
LUMINA2 = Family(
    name="lumina2",
    title="Lumina 2",
    words=("lumina", "netalumina", "netayume"),
    releases=(
        Release(
            ("noise_refiner.0.attention.qkv.weight", "cap_embedder.1.weight"),
            ("noise_refiner.{}.attention.qkv.weight",),
        ),
        Release(
            ("time_caption_embed.caption_embedder.1.weight", "context_refiner.0.attn.to_q.weight"),
            ("layers.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        LUMINA_LAYERS
        + """
        (layers|noise_refiner|context_refiner)  attention_to_[kv]        - 1
        (layers|noise_refiner|context_refiner)  attn_(to_q|to_out_0)     1 1
        (layers|noise_refiner|context_refiner)  attn_to_[kv]             - 1
        (layers|noise_refiner|context_refiner)  feed_forward_linear_.*   - -
    """
    ),
    variants=(Variant(name="2b", width=2304, blocks={"layers": 26}),),
    lineages=(Lineage("neta", "Neta Lumina", r"\bneta"),),
    classes=("Lumina2",),
    gguf=("lumina2",),
    recipe=Recipe(size=768, steps=25, guidance=4.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=2.3),
    parts=Parts("LUMINA2", (GEMMA_2,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
)
OMNIGEN2 = Family(
    name="omnigen2",
    title="OmniGen2",
    words=("omnigen2",),
    releases=(
        Release(
            ("time_caption_embed.timestep_embedder.linear_1.weight", "ref_image_patch_embedder.weight"),
            ("layers.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (layers|noise_refiner|context_refiner|ref_image_refiner)  attn_(to_q|to_out_0)    1 1
        (layers|noise_refiner|context_refiner|ref_image_refiner)  attn_to_[kv]            - 1
        (layers|noise_refiner|context_refiner|ref_image_refiner)  feed_forward_linear_.*  - -
        (layers|noise_refiner|context_refiner|ref_image_refiner)  norm1_linear            - -
    """),
    variants=(Variant(name="4b", width=2520, blocks={"layers": 32}),),
    lineages=NO_LINEAGES,
    classes=("OmniGen2",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=3.9),
    parts=Parts("OMNIGEN2", (QWEN_25_3B,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
)
KREA2 = Family(
    name="krea2",
    title="Krea 2",
    words=("krea2",),
    releases=(
        Release(("txtfusion.projector.weight",), ("blocks.{}.attn.wq.weight",)),
        Release(("text_fusion.projector.weight",), ("transformer_blocks.{}.attn.to_q.weight",)),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        blocks              attn_(w[qo]|gate)                              1 1
        blocks              attn_w[kv]                                     - 1
        blocks              mlp_(gate|up)                                  - 1
        blocks              mlp_down                                       1 -
        transformer_blocks  attn_(to_q|to_out_0|to_gate)                   1 1
        transformer_blocks  attn_to_[kv]                                   - 1
        transformer_blocks  ff_(gate|up)                                   - 1
        transformer_blocks  ff_down                                        1 -
        (txtfusion|text_fusion)_.*  .*                                     - -
        -                   (txtfusion|text_fusion|txtmlp|tmlp|tproj|first|last|txt_in|img_in|time_).*  - -
    """),
    variants=(Variant(name="12b", width=6144, blocks={"blocks": 28, "transformer_blocks": 28}),),
    lineages=NO_LINEAGES,
    classes=("Krea2",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=28, guidance=4.5, sampler="own"),
    few_steps=(FewSteps(name="turbo", pattern=r"\bturbo\b", steps=8),),
    work=Work(weights=11.0),
    parts=Parts("KREA2", (QWEN_3VL_4B,), QWEN_IMAGE_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
QWEN_IMAGE = Family(
    name="qwen_image",
    title="Qwen-Image",
    words=("qwenimage", "qwen"),
    releases=(
        Release(("txt_in.text_norm.weight", "transformer_blocks.0.attn.norm_q.weight")),
        Release(
            ("txt_norm.weight=3584", "transformer_blocks.0.img_mod.1.weight"),
            ("transformer_blocks.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        transformer_blocks  attn_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)  1 1
        transformer_blocks  (img|txt)_mlp_net_0_proj                            4 1
        transformer_blocks  (img|txt)_mlp_net_2                                 1 4
        transformer_blocks  (img|txt)_mod_1                                     6 1
        -                   (img_in|txt_in|time_text_embed_.*|proj_out|norm_out_linear)  - -
    """),
    variants=(Variant(name="20b", width=3072, blocks={"transformer_blocks": 60}),),
    lineages=(Lineage("qwen_edit", "Qwen-Image-Edit", r"qwen.*edit"),),
    classes=("QwenImageTransformer",),
    gguf=("qwen_image",),
    recipe=Recipe(size=768, steps=20, guidance=2.5, sampler="own"),
    few_steps=(
        FewSteps(
            name="lightning LoRA", pattern=r"\bqwen image (?:\w+ )*lightning (?:4|8) ?steps?\b", steps=8, is_lora=True
        ),
        FewSteps(name="lightning, turbo", pattern=r"\blightning\b|\bturbo\b|\brapid\b", steps=8),
    ),
    work=Work(weights=6.8),
    parts=Parts("QWEN_IMAGE", (QWEN_25_7B,), QWEN_IMAGE_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
COGVIEW4_LAYERS = """
        transformer_blocks  attn1_(to_[qkv]|to_out_0)      1 1
        transformer_blocks  ff_net_0_proj                  4 1
        transformer_blocks  ff_net_2                       1 4
        transformer_blocks  norm1_linear                  12 -
        -                   patch_embed_.*|time_condition_embed_.*|norm_out_linear|proj_out  - -
    """
COGVIEW4 = Family(
    name="cogview4",
    title="CogView4",
    words=("cogview4",),
    releases=(
        Release(
            ("time_condition_embed.timestep_embedder.linear_1.weight", "patch_embed.text_proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(COGVIEW4_LAYERS),
    variants=(Variant(name="6b", width=4096, blocks={"transformer_blocks": 28}),),
    lineages=NO_LINEAGES,
    classes=("CogView4",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=5.6),
    parts=NOT_IN_COMFYUI,
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
GLM_IMAGE = Family(
    name="glm_image",
    title="GLM-Image",
    words=("glmimage",),
    releases=(
        Release(
            ("glyph_projector.net.0.proj.weight", "prior_projector.net.0.proj.weight"),
            ("transformer_blocks.{}.attn1.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(COGVIEW4_LAYERS + "\n - (glyph|prior|image)_projector_.* - -"),
    variants=(Variant(name="7b", width=4096, blocks={"transformer_blocks": 30}),),
    lineages=NO_LINEAGES,
    classes=("GlmImage",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=1.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=6.0),
    parts=NOT_IN_COMFYUI,
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)
