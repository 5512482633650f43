"""Text encoders and latents: what a bare diffusion model runs with, as ComfyUI names and loads it.

Kinds are those of ComfyUI's `TEModel`; files are called as in Comfy-Org's repackaged releases, which templates load.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextEncoder:
    """`names` finds its files, in lower case; `file` is the released one, of which quantised copies go about.
    `vocabulary`: rows of its embedding, which tell it from another of the same layers."""

    kind: str
    names: str
    file: str
    vocabulary: int | None = None


@dataclass(frozen=True)
class Vae:
    """`kind` is how it is built, `channels` how wide a latent is: a VAE of others is none for the family. Those of one
    kind and width are told by `names`. Pixels have three channels and need no VAE."""

    kind: str
    channels: int
    names: str
    file: str


@dataclass(frozen=True)
class Parts:
    """`clip_type` is a member of ComfyUI's `CLIPType`."""

    clip_type: str
    encoders: tuple[TextEncoder, ...]
    vae: Vae


CLIP_L = TextEncoder("CLIP_L", r"clip[-_]?l", "clip_l.safetensors")
CLIP_G = TextEncoder("CLIP_G", r"clip[-_]?g", "clip_g.safetensors")
CLIP_H = TextEncoder("CLIP_H", r"clip[-_]?h|open[-_]?clip.*h[-_]?14", "clip_h.safetensors")
T5 = TextEncoder("T5_XXL", r"(?<!um)t5[-_]?xxl|t5[-_]?v1[-_.]1", "t5xxl_fp16.safetensors", 32128)
OLD_T5 = TextEncoder("T5_XXL_OLD", r"old[-_]?t5|t5xxl.*cosmos|cosmos.*t5", "oldt5_xxl_fp8_e4m3fn_scaled.safetensors")
UMT5 = TextEncoder("T5_XXL", r"umt5", "umt5_xxl_fp8_e4m3fn_scaled.safetensors", 256384)
PILE_T5 = TextEncoder("T5_XL", r"pile[-_]?t5|aura", "pile_t5xl_fp16.safetensors")
BYT5 = TextEncoder("BYT5_SMALL_GLYPH", r"byt5", "byt5_small_glyphxl_fp16.safetensors")
LLAMA = TextEncoder(
    "LLAMA3_8", r"llama[-_]?3[-_.]1|(?<!llava_)llama", "llama_3.1_8b_instruct_fp8_scaled.safetensors", 128256
)
LLAVA = TextEncoder("LLAMA3_8", r"llava", "llava_llama3_fp8_scaled.safetensors", 128320)
GEMMA_2 = TextEncoder("GEMMA_2_2B", r"gemma[-_]?2[-_]?2b", "gemma_2_2b_fp16.safetensors")
GEMMA_3_4B = TextEncoder("GEMMA_3_4B", r"gemma[-_]?3[-_]?4b", "gemma_3_4b_it_bf16.safetensors")
JINA_CLIP = TextEncoder("JINA_CLIP_2", r"jina[-_]?clip", "jina_clip_v2_bf16.safetensors")
GEMMA_3 = TextEncoder("GEMMA_3_12B", r"gemma[-_]?3[-_]?12b", "gemma_3_12B_it_fp8_scaled.safetensors")
QWEN_25_3B = TextEncoder("QWEN25_3B", r"qwen[-_]?2[-_.]?5[-_]?vl(?!.*7b)", "qwen_2.5_vl_fp16.safetensors")
QWEN_25_7B = TextEncoder("QWEN25_7B", r"qwen[-_]?2[-_.]?5[-_]?vl[-_]?7b", "qwen_2.5_vl_7b_fp8_scaled.safetensors")
QWEN_3_06B = TextEncoder("QWEN3_06B", r"qwen[-_]?3[-_]?0\.?6b", "qwen_3_06b_base.safetensors")
QWEN_3_4B = TextEncoder("QWEN3_4B", r"qwen[-_]?3[-_]?4b", "qwen_3_4b.safetensors")
QWEN_3_8B = TextEncoder("QWEN3_8B", r"qwen[-_]?3[-_]?8b", "qwen_3_8b_fp8mixed.safetensors")
QWEN_3VL_4B = TextEncoder("QWEN3VL_4B", r"qwen[-_]?3[-_]?vl[-_]?4b", "qwen3vl_4b_fp8_scaled.safetensors")
QWEN_3VL_8B = TextEncoder("QWEN3VL_8B", r"qwen[-_]?3[-_]?vl[-_]?8b", "qwen3vl_8b_fp8_scaled.safetensors")
OVIS = TextEncoder("QWEN3_2B", r"ovis", "ovis_2.5.safetensors")
MISTRAL = TextEncoder(
    "MISTRAL3_24B", r"mistral[-_]?3?[-_]?small|mistral.*flux2", "mistral_3_small_flux2_bf16.safetensors"
)
MINISTRAL = TextEncoder("MINISTRAL_3_3B", r"ministral[-_]?3[-_]?3b", "ministral-3-3b.safetensors")
GPT_OSS = TextEncoder("GPT_OSS_20B", r"gpt[-_]?oss[-_]?20b", "gpt_oss_20b_nvfp4.safetensors")

SD_VAE = Vae("kl", 4, r"mse|ema|sd1|kl-f8", "vae-ft-mse-840000-ema-pruned.safetensors")
SDXL_VAE = Vae("kl", 4, r"sdxl", "sdxl_vae.safetensors")
SD3_VAE = Vae("kl", 16, r"sd3", "sd3_vae.safetensors")
FLUX_VAE = Vae("kl", 16, r"^ae\b|flux(?!.?2)", "ae.safetensors")
FLUX2_VAE = Vae("kl", 128, r"flux.?2|full_encoder_small_decoder", "flux2-vae.safetensors")
WAN_VAE = Vae("wan", 16, r"wan[-_]?2[-_.]?1.*vae|wan.*vae(?!.*2\.2)", "wan_2.1_vae.safetensors")
WAN_22_VAE = Vae("wan", 48, r"wan[-_]?2[-_.]?2.*vae", "wan2.2_vae.safetensors")
QWEN_IMAGE_VAE = Vae("wan", 16, r"qwen[-_]?image.*vae", "qwen_image_vae.safetensors")
HUNYUAN_VIDEO_VAE = Vae("causal", 16, r"hunyuan[-_]?video[-_]?vae", "hunyuan_video_vae_bf16.safetensors")
HUNYUAN_VIDEO_15_VAE = Vae("causal", 32, r"hunyuan[-_]?video[-_]?1?[-_.]?5.*vae", "hunyuanvideo15_vae_fp16.safetensors")
HUNYUAN_IMAGE_VAE = Vae("kl", 64, r"hunyuan[-_]?image.*vae", "hunyuan_image_2.1_vae_fp16.safetensors")
COSMOS_VAE = Vae("cosmos", 16, r"cosmos", "cosmos_cv8x8x8_1.0.safetensors")
MOCHI_VAE = Vae("mochi", 12, r"mochi", "mochi_vae.safetensors")
LTX_VAE = Vae("ltx", 128, r"ltx", "ltx-video-vae.safetensors")
COGVIDEOX_VAE = Vae("cogvideox", 16, r"cogvideo", "cogvideox_vae.safetensors")
MAGE_VAE = Vae("mage", 128, r"mage", "mage_flow_vae_bf16.safetensors")
PIXELS = Vae("pixels", 3, r"pixel_space", "pixel_space")
