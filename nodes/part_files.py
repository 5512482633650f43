"""What the files in ComfyUI's folders of text encoders and VAEs are, by names and shapes of their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import folder_paths

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.families.parts import TextEncoder, Vae
from ..modelsearch_core.model_files import read_header

Shapes = Mapping[str, tuple[int, ...]]
EMBEDDINGS = ("shared.weight", "model.embed_tokens.weight")
NARROW = "decoder.conv_in.weight"  # in which a latent enters the decoder
CAUSAL = "decoder.conv_in.conv.weight"
VAE_MARKS = (  # (kind, a tensor that only such have, channels of a latent where they are always the same)
    ("pixels", "pixel_space_vae", 3),
    ("mage", "student.dconv_encoder.proj_out.weight", 128),
    ("mochi", "decoder.blocks.2.blocks.3.stack.5.weight", 12),
    ("mochi", "blocks.2.blocks.3.stack.5.weight", 12),
    ("ltx", "decoder.up_blocks.0.res_blocks.0.conv1.conv.weight", 128),
    ("cogvideox", "decoder.mid_block.resnets.0.norm1.norm_layer.weight", 16),
    ("cosmos", "decoder.unpatcher3d.wavelets", 16),
)


def files(folder: str) -> list[Path]:
    """All that ComfyUI lists there."""
    names = folder_paths.get_filename_list(folder)
    return [Path(folder_paths.get_full_path_or_raise(folder, name)) for name in names]


def is_encoder(path: Path, wanted: TextEncoder) -> bool | None:
    """Whether the file is such a text encoder; None where its tensors do not tell this ComfyUI."""
    shapes = _shapes(path)
    kind = _encoder_kind(path, path.stat().st_mtime_ns) if shapes else None
    if kind is None or not _is_known(wanted.kind):
        return None
    rows = next((shapes[name][0] for name in EMBEDDINGS if name in shapes), None)
    return kind == wanted.kind and wanted.vocabulary in (None, rows)


def is_vae(path: Path, wanted: Vae) -> bool | None:
    """Whether the file is built so and its latents are as wide; None where its tensors do not tell."""
    found = vae_of(_shapes(path))
    return None if found is None else found == (wanted.kind, wanted.channels)


def vae_of(shapes: Shapes) -> tuple[str, int] | None:
    """(kind, channels of a latent), as ComfyUI's `VAE` tells them apart."""
    for kind, mark, channels in VAE_MARKS:
        if mark in shapes:
            return kind, channels
    if "decoder.middle.0.residual.0.gamma" in shapes:
        return "wan", 48 if "decoder.upsamples.0.upsamples.0.residual.2.weight" in shapes else 16
    if CAUSAL in shapes:
        return "causal", shapes[CAUSAL][1]
    if NARROW in shapes:
        packed = 4 if "bn.running_mean" in shapes else 1  # FLUX.2 lays four pixels of a latent into one
        return "kl", shapes[NARROW][1] * packed
    return None


def _is_known(kind: str) -> bool:
    from comfy.sd import TEModel

    return kind in TEModel.__members__


@lru_cache(maxsize=256)
def _encoder_kind(path: Path, modified: int) -> str | None:
    """The name in ComfyUI's `TEModel`, by its own rules."""
    from comfy.sd import detect_te_model

    tensors = {name: SimpleNamespace(shape=shape) for name, shape in _shapes(path).items()}
    found = detect_te_model(tensors)
    return found.name if found is not None else None


def _shapes(path: Path) -> Shapes:
    """Nothing for what is no safetensors file."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, modified: int) -> Shapes:
    try:
        return read_header(path).layout.shapes
    except (ModelSearchError, OSError):
        return {}
