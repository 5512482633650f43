"""Text encoders and VAE for a diffusion model that brings none, among the files that ComfyUI lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import folder_paths

from ..modelsearch_core.model_files import ModelFile

T5, CLIP_L, CLIP_G = r"t5[-_]?xxl", r"clip[-_]?l", r"clip[-_]?g"


@dataclass(frozen=True)
class Wanted:
    """`clip_type` is ComfyUI's; `encoders` and `vae` are patterns of file names, for every encoder one."""

    clip_type: str
    encoders: tuple[str, ...]
    vae: str


WANTED = {
    "sd15": Wanted("STABLE_DIFFUSION", (CLIP_L,), r"mse|ema|sd1|kl-f8"),
    "sdxl": Wanted("STABLE_DIFFUSION", (CLIP_L, CLIP_G), r"sdxl"),
    "sd3": Wanted("SD3", (CLIP_L, CLIP_G, T5), r"sd3"),
    "flux": Wanted("FLUX", (CLIP_L, T5), r"^ae\b|flux"),
    "chroma": Wanted("CHROMA", (T5,), r"^ae\b|flux"),
    "hidream": Wanted("HIDREAM", (CLIP_L, CLIP_G, T5, r"llama"), r"^ae\b|flux|hidream"),
    "lumina2": Wanted("LUMINA2", (r"gemma",), r"^ae\b|flux|lumina"),
    "z_image": Wanted("LUMINA2", (r"qwen[-_]?3",), r"^ae\b|flux"),
    "qwen_image": Wanted("QWEN_IMAGE", (r"qwen[-_]?2\.?5",), r"qwen"),
    "omnigen2": Wanted("OMNIGEN2", (r"qwen[-_]?2\.?5",), r"^ae\b|flux"),
    "pixart": Wanted("PIXART", (T5,), r"mse|ema|sd1|sdxl"),
    "auraflow": Wanted("STABLE_DIFFUSION", (r"pile[-_]?t5|aura",), r"sdxl|aura"),
    "cosmos": Wanted("COSMOS", (r"old[-_]?t5|t5xxl.*cosmos|cosmos.*t5",), r"cosmos|wan"),
    "wan": Wanted("WAN", (r"umt5",), r"wan"),
    "hunyuan_video": Wanted("HUNYUAN_VIDEO", (CLIP_L, r"llava|llama"), r"hunyuan"),
}


@dataclass(frozen=True)
class Parts:
    clip_type: str
    encoders: tuple[Path, ...]
    vae: Path


def parts_for(model: ModelFile) -> Parts | None:
    """All of them, or None where one is not there."""
    wanted = WANTED.get(model.architecture)
    if wanted is None:
        return None
    encoders = [_first("text_encoders", pattern) for pattern in wanted.encoders]
    vae = _first("vae", wanted.vae)
    if vae is None or None in encoders:
        return None
    return Parts(wanted.clip_type, tuple(path for path in encoders if path), vae)


def what_is_missing(model: ModelFile) -> str:
    wanted = WANTED.get(model.architecture)
    if wanted is None:
        return f"no text encoder and VAE are known for {model.architecture}"
    missing = [p for p in wanted.encoders if _first("text_encoders", p) is None]
    missing += [] if _first("vae", wanted.vae) else [f"VAE {wanted.vae}"]
    return f"in text_encoders and vae there is no file called like: {', '.join(missing)}"


def _first(folder: str, pattern: str) -> Path | None:
    """The shortest name that fits: the plain release before its variants."""
    names = [n for n in folder_paths.get_filename_list(folder) if re.search(pattern, Path(n).name, re.IGNORECASE)]
    best = min(names, key=lambda name: (len(Path(name).name), name), default=None)
    return Path(folder_paths.get_full_path_or_raise(folder, best)) if best else None
