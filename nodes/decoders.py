"""TAESD among ComfyUI's `vae_approx`, in place of a model's own VAE."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import comfy.sd
import comfy.utils
import folder_paths
import torch

from ..modelsearch_core.families import FAMILIES


def small_decoder(architecture: str) -> tuple[Path, str] | None:
    """(file, fingerprint) where one is there for this architecture."""
    name = FAMILIES[architecture].small_decoder if architecture in FAMILIES else None
    files = [file for file in folder_paths.get_filename_list("vae_approx") if file.startswith(f"{name}_decoder.")]
    if not isinstance(name, str) or not files:
        return None
    path = Path(folder_paths.get_full_path_or_raise("vae_approx", files[0]))
    return path, _fingerprint(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _fingerprint(path: Path, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def load_decoder(path: Path, latent_format: Any) -> Any:
    """A VAE that only decodes, on the scale of the model's latents."""
    state = {f"taesd_decoder.{name}": tensor for name, tensor in comfy.utils.load_torch_file(str(path)).items()}
    state["vae_scale"] = torch.tensor(latent_format.scale_factor)
    state["vae_shift"] = torch.tensor(getattr(latent_format, "shift_factor", 0.0))
    return comfy.sd.VAE(sd=state)
