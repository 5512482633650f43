"""FLUX, and families that took over its blocks."""

from __future__ import annotations

from .layers import Layers
from .parts import (
    CLIP_L,
    FLUX2_VAE,
    FLUX_VAE,
    MISTRAL,
    OVIS,
    PIXELS,
    QWEN_3_4B,
    QWEN_3_8B,
    QWEN_25_7B,
    T5,
    Parts,
)
from .record import Family, FewSteps, Lineage, No, Pipeline, Recipe, Release, Variant, Work
from .shared import (
    A_TRANSFORMER,
    NO_FEW_STEPS,
    NO_LINEAGES,
    NO_SMALL_DECODER,
    NOT_IN_COMFYUI,
    NOT_IN_DIFFUSERS,
    NOT_QUANTISED,
)

_NAMED_BY_DIFFUSERS = """
    transformer_blocks         attn_(to_[qkv]|to_out_0|add_[qkv]_proj|to_add_out)          1 1
    single_transformer_blocks  attn_to_[qkv]                                               1 1
"""
ATTENTION = (
    """
    double_blocks              (img|txt)_attn_qkv                                          3 1
    double_blocks              (img|txt)_attn_proj                                         1 1
    double_blocks              processor_qkv(_lora[12])?                                   3 1
    double_blocks              processor_proj(_lora[12])?                                  1 1
    single_blocks              processor_qkv(_lora)?                                       3 1
    single_blocks              processor_proj(_lora)?                                      - -
"""
    + _NAMED_BY_DIFFUSERS
)
_MLP_NAMED_BY_DIFFUSERS = """
    transformer_blocks         ff(_context)?_net_0_proj                                    4 1
    transformer_blocks         ff(_context)?_net_2                                         1 4
    single_transformer_blocks  proj_mlp                                                    4 1
    single_transformer_blocks  proj_out                                                    1 5
"""
MLP = (
    """
    double_blocks              (img|txt)_mlp_0                                             4 1
    double_blocks              (img|txt)_mlp_2                                             1 4
    single_blocks              linear1                                                     7 1
    single_blocks              linear1_qkv                                                 3 1
    single_blocks              linear2                                                     1 5
"""
    + _MLP_NAMED_BY_DIFFUSERS
)
MODULATION = """
    double_blocks              (img|txt)_mod_lin                                           6 1
    single_blocks              modulation_lin                                              3 1
    transformer_blocks         norm1(_context)?_linear                                     6 1
    single_transformer_blocks  norm_linear                                                 3 1
"""
ENDS = """
    -                          img_in|txt_in|(time|vector|guidance)_in_.*|final_layer_.*   - -
    -                          x_embedder|context_embedder|time_text_embed_.*              - -
    -                          norm_out_linear|proj_out                                    - -
"""
GUIDANCE = """
    distilled_guidance_layer_.*  .*                                                        - -
    -                          distilled_guidance_layer_.*                                 - -
"""


def _blocks(double: int, single: int) -> dict[str, int]:
    return {"transformer_blocks": double, "single_transformer_blocks": single}


def blocks(double: int, single: int) -> dict[str, int]:
    """Numbers of blocks, by the original names and diffusers'."""
    return {"double_blocks": double, "single_blocks": single, **_blocks(double, single)}


ORIGINAL = ("double_blocks.{}.img_attn.proj.weight", "single_blocks.{}.linear2.weight")
DIFFUSERS = ("transformer_blocks.{}.attn.to_q.weight", "single_transformer_blocks.{}.attn.to_q.weight")
_KREA, _KONTEXT = Lineage("krea", "Krea", r"krea"), Lineage("kontext", "Kontext", r"kontext")
_SCHNELL = Lineage("schnell", "Schnell", r"schnell|flux\.?1 ?s\b")

FLUX = Family(
    name="flux",
    title="FLUX.1",
    words=("flux1", "flux", "fluxdev", "fluxkontext", "fluxschnell", "flux1lite", "fluxlite", "flex1", "flex2"),
    releases=(
        Release(("double_blocks.0.img_attn.qkv.weight", "img_in.weight"), ORIGINAL),
        Release(("double_blocks.0.img_attn.norm.key_norm.scale", "img_in.weight"), ORIGINAL),
        Release(("double_blocks.0.img_attn.norm.key_norm.weight", "img_in.weight"), ORIGINAL),
        Release(
            (
                "single_transformer_blocks.0.proj_mlp.weight",
                "time_text_embed.text_embedder.linear_1.weight",
                "!context_embedder.token_refiner.refiner_blocks.0.norm1.weight",
            ),
            DIFFUSERS,
        ),
        Release(("single_transformer_blocks.0.qkv_proj.weight",), ("single_transformer_blocks.{}.qkv_proj.weight",)),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(ATTENTION + MLP + MODULATION + ENDS),
    variants=(
        Variant(name="12b", width=3072, blocks=blocks(19, 38)),
        Variant(  # Flex, FLUX Lite
            name="8b",
            width=3072,
            blocks=blocks(8, 38),
            words=("flex1", "flex2", "flux1lite", "fluxlite"),
            work=Work(weights=4.7),
            rare=True,
        ),
    ),
    lineages=(_KREA, _KONTEXT, _SCHNELL),
    classes=("Flux",),
    gguf=("flux",),
    recipe=Recipe(size=768, steps=20, guidance=3.5, sampler="own", embeds_guidance=True),
    few_steps=(
        FewSteps(name="schnell", pattern=r"\bschnell\b|\bflux ?1? s\b", steps=4),
        FewSteps(
            name="turbo alpha",
            pattern=r"\bflux\w* (?:\w+ )*turbo alpha\b",
            steps=8,
            guidance=3.5,
            embeds_guidance=True,
            is_lora=True,
        ),
    ),
    work=Work(weights=6.5),
    parts=Parts("FLUX", (CLIP_L, T5), FLUX_VAE),
    pipeline=Pipeline(name="FluxPipeline", repository="black-forest-labs/FLUX.1-dev"),
    small_decoder="taef1",
)
FLUX2 = Family(
    name="flux2",
    title="FLUX.2",
    words=("flux2", "flux2dev", "flux2klein"),
    releases=(
        Release(("single_stream_modulation.lin.weight",), ORIGINAL),
        Release(("single_stream_modulation.linear.weight",), DIFFUSERS[:1]),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        ATTENTION
        + """
        double_blocks              (img|txt)_mlp_0                                          6 1
        double_blocks              (img|txt)_mlp_2                                          1 3
        single_blocks              linear1                                                  9 1
        single_blocks              linear1_qkv                                              3 1
        single_blocks              linear2                                                  1 4
        transformer_blocks         ff(_context)?_linear_in                                  6 1
        transformer_blocks         ff(_context)?_linear_out                                 1 3
        single_transformer_blocks  attn_to_qkv_mlp_proj                                     9 1
        single_transformer_blocks  attn_to_out                                              1 4
        -                          (single|double)_stream_modulation(_img|_txt)?_lin(ear)?  - 1
        -                          time_guidance_embed_.*                                   - -
        """
        + ENDS
    ),
    variants=(
        Variant(name="dev", width=6144, blocks=blocks(8, 48), words=("flux2dev", "flux2d")),
        Variant(
            name="klein-9b", width=4096, blocks=blocks(8, 24), words=("flux2klein9b", "flux2kleinbase9b"),
            parts=Parts("FLUX2", (QWEN_3_8B,), FLUX2_VAE),
            recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"), work=Work(weights=7.0),
        ),
        Variant(
            name="klein-4b", width=3072, blocks=blocks(5, 20), words=("flux2klein4b", "flux2kleinbase4b"),
            parts=Parts("FLUX2", (QWEN_3_4B,), FLUX2_VAE),
            recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"), work=Work(weights=3.1),
        ),
    ),
    lineages=NO_LINEAGES,
    classes=("Flux2",),
    gguf=("flux2",),
    recipe=Recipe(size=768, steps=20, guidance=4.0, sampler="own", embeds_guidance=True),
    few_steps=(
        FewSteps(name="klein, not base", pattern=r"^(?!.*\bbase\b)", steps=4, variants=("klein-9b", "klein-4b")),
    ),
    work=Work(weights=27.5),
    parts=Parts("FLUX2", (MISTRAL,), FLUX2_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)  # fmt: skip
FLUX3 = Family(
    name="flux3",
    title="FLUX.3",
    words=("flux3",),
    releases=(
        Release(("early_stream_modulations.image.lin.weight",)),
        Release(("early_stream_modulations.image.linear.weight",)),
    ),
    unet=A_TRANSFORMER,
    layers=Layers("""
        (txt_)?mode_blocks.*  .*                                          - -
        -                     (early|single)_stream_modulations_.*        - -
        -                     (txt_)?mode_blocks_.*                       - -
    """),
    variants=No("one size is released"),
    lineages=NO_LINEAGES,
    classes=("Flux3",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=4.0),
    parts=NOT_IN_COMFYUI,
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
)
CHROMA = Family(
    name="chroma",
    title="Chroma",
    words=("chroma", "flux1chroma"),
    releases=(
        Release(("distilled_guidance_layer.in_proj.weight", "!nerf_blocks.0.norm.scale"), ORIGINAL),
        Release(("distilled_guidance_layer.0.in_proj.weight", "!nerf_blocks.0.norm.scale"), ORIGINAL),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(ATTENTION + MLP + ENDS + GUIDANCE),
    variants=(Variant(name="9b", width=3072, blocks=blocks(19, 38)),),
    lineages=NO_LINEAGES,
    classes=("Chroma",),
    gguf=("chroma",),
    recipe=Recipe(size=768, steps=26, guidance=3.5, sampler="own"),
    few_steps=(FewSteps(name="flash", pattern=r"\bflash\b", steps=8),),
    work=Work(weights=6.5),
    parts=Parts("CHROMA", (T5,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
    rare=True,
)
CHROMA_RADIANCE = Family(
    name="chroma_radiance",
    title="Chroma Radiance",
    words=("chromaradiance", "chroma1radiance"),
    releases=(Release(("nerf_blocks.0.norm.scale",), ORIGINAL), Release(("nerf_blocks.0.norm.weight",), ORIGINAL)),
    unet=A_TRANSFORMER,
    layers=Layers(ATTENTION + MLP + ENDS + "\n nerf_.* .* - - \n - nerf_.*|img_in_patch - -"),
    variants=(Variant(name="9b", width=3072, blocks=blocks(19, 38)),),
    lineages=NO_LINEAGES,
    classes=No("diffusers does not have it"),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=26, guidance=3.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=6.5),
    parts=Parts("CHROMA", (T5,), PIXELS),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=No("it makes pixels, no latents"),
    rare=True,
)
LONGCAT = Family(
    name="longcat_image",
    title="LongCat-Image",
    words=(
        "longcatimage",
        "longcat",
    ),
    releases=(
        Release(("double_blocks.0.img_attn.qkv.weight", "txt_in.weight=3584", "!vector_in.in_layer.weight"), ORIGINAL),
        Release(
            (
                "single_transformer_blocks.0.proj_mlp.weight",
                "context_embedder.weight=3584",
                "time_embed.timestep_embedder.linear_1.weight",
            ),
            DIFFUSERS,
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(ATTENTION + MLP + MODULATION + ENDS),
    variants=(Variant(name="6b", width=3072, blocks=blocks(10, 20)),),
    lineages=NO_LINEAGES,
    classes=("LongCatImage",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=4.5, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=3.4),
    parts=Parts("LONGCAT_IMAGE", (QWEN_25_7B,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
    rare=True,
)
OVIS_IMAGE = Family(
    name="ovis_image",
    title="Ovis-Image",
    words=(
        "ovisimage",
        "ovis",
    ),
    releases=(
        Release(("double_blocks.0.img_mlp.gate_proj.weight",), ORIGINAL),
        Release(("single_transformer_blocks.0.proj_mlp.weight", "context_embedder_norm.weight"), DIFFUSERS),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        ATTENTION
        + MODULATION
        + """
        double_blocks              (img|txt)_mlp_(gate|up)_proj                             4 1
        double_blocks              (img|txt)_mlp_down_proj                                  1 4
        single_blocks              linear1                                                 11 1
        single_blocks              linear2                                                  1 5
        transformer_blocks         ff(_context)?_net_0_proj                                 8 1
        transformer_blocks         ff(_context)?_net_2                                      1 4
        single_transformer_blocks  proj_mlp                                                 8 1
        single_transformer_blocks  proj_out                                                 1 5
        """
        + ENDS
    ),
    variants=(Variant(name="7b", width=3072, blocks=blocks(6, 27)),),
    lineages=NO_LINEAGES,
    classes=("OvisImage",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=20, guidance=5.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=5.0),
    parts=Parts("OVIS", (OVIS,), FLUX_VAE),
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder="taef1",
    rare=True,
)
BRIA = Family(
    name="bria",
    title="Bria 3 and FIBO",
    words=("bria", "fibo"),
    releases=(
        Release(
            (
                "single_transformer_blocks.0.proj_mlp.weight",
                "time_embed.timestep_embedder.linear_1.weight",
                "!context_embedder.weight=3584",
            ),
            DIFFUSERS,
        ),
    ),
    unet=A_TRANSFORMER,
    layers=Layers(
        _NAMED_BY_DIFFUSERS
        + _MLP_NAMED_BY_DIFFUSERS
        + """
        transformer_blocks         norm1(_context)?_linear                                  6 1
        single_transformer_blocks  norm_linear                                              3 1
        caption_projection         .*                                                       - -
        """
        + ENDS
    ),
    variants=(
        Variant(name="3", width=3072, blocks=_blocks(8, 28)),
        Variant(name="fibo", width=3072, blocks=_blocks(8, 38), work=Work(weights=5.2)),
    ),
    lineages=NO_LINEAGES,
    classes=("Bria",),
    gguf=NOT_QUANTISED,
    recipe=Recipe(size=768, steps=25, guidance=5.0, sampler="own"),
    few_steps=NO_FEW_STEPS,
    work=Work(weights=4.1),
    parts=NOT_IN_COMFYUI,
    pipeline=NOT_IN_DIFFUSERS,
    small_decoder=NO_SMALL_DECODER,
    rare=True,
)  # fmt: skip
