"""Stable Diffusion 1 to XL, what has their U-Net, and Stable Diffusion 3."""

from __future__ import annotations

from .layers import Layers
from .parts import CLIP_G, CLIP_H, CLIP_L, SD3_VAE, SD_VAE, SDXL_VAE, T5, Parts
from .record import Family, FewSteps, Lineage, No, Pipeline, Recipe, Release, Unet, Variant, Work
from .shared import (
    A_TRANSFORMER,
    A_UNET,
    BY_NETWORKS,
    BY_UNET,
    NO_FEW_STEPS,
    NO_LINEAGES,
    NO_SMALL_DECODER,
    NOT_IN_DIFFUSERS,
    NOT_QUANTISED,
    ONE_WIDTH,
)

SD_MINI = Family(
    name="sd_mini",
    title="Toy Stable Diffusion",
    words=No("toy models carry no metadata"),
    releases=A_UNET,
    unet=Unet(context=0),
    layers=A_UNET,
    variants=No("of any width below that of a released model"),
    lineages=NO_LINEAGES,
    classes=BY_UNET,
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=128, steps=15, guidance=3.0),
    few_steps=BY_NETWORKS,
    work=No("a toy, its pictures cost next to nothing"),
    parts=No("ComfyUI knows no text encoder of that width"),
    pipeline=Pipeline(name="StableDiffusionPipeline"),
    small_decoder="taesd_mini",
    classic=True,
)
SD15 = Family(
    name="sd15",
    title="Stable Diffusion 1.x",
    words=("stablediffusionv1", "stablediffusion1", "sdv1", "sd15", "sd14", "sd1"),
    releases=A_UNET,
    unet=Unet(context=768),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=(Lineage("nai", "NovelAI (anime)", r"\bnai\b|novelai|animefull|\banything[-_ ]?v"),),
    classes=BY_UNET,
    gguf=("sd1",),
    recipe=Recipe(size=512, steps=16, guidance=6.0),
    few_steps=BY_NETWORKS,
    work=Work(weights=0.098, token=8, text=0),
    parts=Parts("STABLE_DIFFUSION", (CLIP_L,), SD_VAE),
    pipeline=Pipeline(name="StableDiffusionPipeline", parameters=859_520_964),
    small_decoder="taesd",
    classic=True,
)
SD2 = Family(
    name="sd2",
    title="Stable Diffusion 2.x",
    words=("stablediffusionv2", "stablediffusion2", "sdv2", "sd20", "sd21", "sd2"),
    releases=A_UNET,
    unet=Unet(context=1024),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=NO_LINEAGES,
    classes=BY_UNET,
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=16, guidance=6.0),
    few_steps=BY_NETWORKS,
    work=Work(weights=0.117, token=8, text=0),
    parts=Parts("STABLE_DIFFUSION", (CLIP_H,), SD_VAE),
    pipeline=Pipeline(name="StableDiffusionPipeline", parameters=865_910_724),
    small_decoder="taesd",
    classic=True,
)
SDXL = Family(
    name="sdxl",
    title="Stable Diffusion XL",
    words=(
        "sdxlbase",
        "ponyv6",
        "ponyxl",
        "noobaixl",
        "illustriousxl",
        "animaginexl",
        *("stablediffusionxl", "sdxl", "sdxl10", "pony", "illustrious", "noobai", "animagine", "playgroundv2"),
        *("ponydiffusion", "ssd1b"),
    ),
    releases=A_UNET,
    unet=Unet(context=2048, labels=2816),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=(
        Lineage("pony", "Pony", r"pony(?![-_ ]?(diffusion)?[-_ ]?v?7)"),
        Lineage("noobai", "NoobAI", r"noob[-_ ]?ai|noob[-_ ]?xl|\bnoob\b", "illustrious"),
        Lineage(
            "illustrious", "Illustrious", r"illustrious|\bil(lu)?[-_ ]?xl|\bilxl\b|\billu\b|\bil[-_ ]?v\d|wai[-_ ]?nsfw"
        ),
        Lineage("animagine", "Animagine", r"animagine"),
    ),
    classes=BY_UNET,
    gguf=("sdxl",),
    recipe=Recipe(size=768, steps=16, guidance=5.0),
    few_steps=BY_NETWORKS,
    work=Work(weights=0.198, token=8, text=0),
    parts=Parts("STABLE_DIFFUSION", (CLIP_L, CLIP_G), SDXL_VAE),
    pipeline=Pipeline(name="StableDiffusionXLPipeline", parameters=2_567_463_684),
    small_decoder="taesdxl",
    classic=True,
)
SDXL_REFINER = Family(
    name="sdxl_refiner",
    title="SDXL refiner",
    words=("stablediffusionxlv1refiner", "stablediffusionxlrefiner", "sdxlrefiner"),
    releases=A_UNET,
    unet=Unet(context=1280, labels=2560),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=NO_LINEAGES,
    classes=BY_UNET,
    gguf=NOT_QUANTISED,
    recipe=No("it refines pictures of another model; index the model it belongs to"),
    few_steps=BY_NETWORKS,
    work=No("it makes no pictures alone"),
    parts=No("it is no model to start a picture with"),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taesdxl",
)
SVD = Family(
    name="svd",
    title="Stable Video Diffusion",
    words=("stablevideodiffusion", "svd"),
    releases=A_UNET,
    unet=Unet(context=1024),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=NO_LINEAGES,
    classes=("UNetSpatioTemporal",),
    gguf=NOT_QUANTISED,
    recipe=No("it makes video from a picture"),
    few_steps=NO_FEW_STEPS,
    work=No("it makes no pictures from text"),
    parts=No("it has no text encoder"),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
KOLORS = Family(
    name="kolors",
    title="Kolors",
    words=("kolors",),
    releases=A_UNET,
    unet=Unet(context=2048, labels=5632),
    layers=A_UNET,
    variants=ONE_WIDTH,
    lineages=NO_LINEAGES,
    classes=("Kolors",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=0.198, token=8, text=0),
    parts=No("ComfyUI itself has no ChatGLM"),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taesdxl",
)
STABLE_CASCADE = Family(
    name="stable_cascade",
    title="Stable Cascade",
    words=("stablecascade",),
    releases=(
        Release(("clip_txt_mapper.weight",)),
        Release(("clip_mapper.weight", "down_blocks.1.0.channelwise.0.weight")),
        Release(("clip_txt_pooled_mapper.weight",)),
    ),
    unet=No("its stages are of its own kind"),
    layers=Layers("""
        (prior_unet_)?(down|up)_blocks  \\d+_(attention_(attn|kv_mapper)|channelwise|mapper|kv_mapper)_.*  - -
    """),
    variants=No("what LoRA adapt is one stage of one size"),
    lineages=NO_LINEAGES,
    classes=("StableCascade",),
    gguf=NOT_QUANTISED,
    recipe=No("its stages lie in several models"),
    few_steps=NO_FEW_STEPS,
    work=No("its stages lie in several models"),
    parts=No("its stages lie in several models"),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
SD3 = Family(
    name="sd3",
    title="Stable Diffusion 3",
    words=("stablediffusion3", "stablediffusionv3", "sd3", "sd35"),
    releases=(
        Release(("joint_blocks.0.context_block.attn.qkv.weight",), ("joint_blocks.{}.x_block.attn.proj.weight",)),
        Release(
            ("transformer_blocks.0.norm1_context.linear.weight", "pos_embed.proj.weight"),
            ("transformer_blocks.{}.attn.to_q.weight",),
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        joint_blocks        (x|context)_block_attn2?_qkv                                     3 1
        joint_blocks        (x|context)_block_attn2?_proj                                    1 1
        joint_blocks        (x|context)_block_mlp_fc1                                        4 1
        joint_blocks        (x|context)_block_mlp_fc2                                        1 4
        joint_blocks        (x|context)_block_adaLN_modulation_1                             - 1
        transformer_blocks  attn2?_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)             1 1
        transformer_blocks  ff(_context)?_net_0_proj                                         4 1
        transformer_blocks  ff(_context)?_net_2                                              1 4
        transformer_blocks  norm1(_context)?_linear                                          - 1
        -                   context_embedder|x_embedder_proj|final_layer_.*|[ty]_embedder_.* - -
        -                   time_text_embed_.*|proj_out|norm_out_linear|pos_embed_proj       - -
    """),
    variants=(
        Variant(
            name="medium", width=1536, blocks={"joint_blocks": 24, "transformer_blocks": 24},
            words=(
                *("stablediffusion3medium", "stablediffusion35medium", "stablediffusionv3medium"),
                *("sd35medium", "sd3medium"),
            ),
            work=Work(weights=0.8),
        ),
        Variant(
            name="large", width=2432, blocks={"joint_blocks": 38, "transformer_blocks": 38},
            words=("stablediffusion35large", "stablediffusion3large", "stablediffusionv3large", "sd35large"),
        ),
    ),
    lineages=NO_LINEAGES,
    classes=("SD3",),
    gguf=("sd3",),
    recipe=Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    few_steps=(FewSteps(name="turbo, flash", pattern=r"\bturbo\b|\bflash\b", steps=4),),
    work=Work(weights=2.7),
    parts=Parts("SD3", (CLIP_L, CLIP_G, T5), SD3_VAE),
    pipeline=Pipeline(name="StableDiffusion3Pipeline", repository="stabilityai/stable-diffusion-3-medium-diffusers"),
    small_decoder="taesd3",
)  # fmt: skip
