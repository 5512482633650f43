"""Models as ComfyUI loads them, in its memory management."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import comfy.sd
import comfy.utils
import folder_paths
import torch

from ..modelsearch_core.errors import ModelSearchError, UnreadableModelError
from ..modelsearch_core.model_files import Kind, ModelFile
from .fitting import patched
from .parts import Parts


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """ComfyUI's MODEL, CLIP and VAE. `decoder`: a small one in place of the VAE's own."""

    model: Any
    clip: Any
    vae: Any
    decoder: Any = None


def load_checkpoint(model: ModelFile) -> Loaded:
    loaded = comfy.sd.load_checkpoint_guess_config(
        str(model.path),
        output_vae=True,
        output_clip=True,
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
    )
    found = Loaded(model=loaded[0], clip=loaded[1], vae=loaded[2])
    missing = [name for name in ("model", "clip", "vae") if getattr(found, name) is None]
    if missing:
        raise UnreadableModelError(f"{model.path.name} has no {' and no '.join(missing)} that ComfyUI finds")
    return found


def load_bare(model: ModelFile, parts: Parts | None, carrier: ModelFile | None) -> Loaded:
    """A diffusion model with text encoders and VAE of their own files, or else of a checkpoint."""
    denoiser = comfy.sd.load_diffusion_model(str(model.path))
    if parts is None:
        assert carrier is not None
        return replace(load_checkpoint(carrier), model=denoiser)
    clip = comfy.sd.load_clip(
        ckpt_paths=[str(path) for path in parts.encoders],
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
        clip_type=getattr(comfy.sd.CLIPType, parts.clip_type),
    )
    pixels = {"pixel_space_vae": torch.tensor(1.0)}  # ComfyUI's word for a model without latents
    vae = comfy.sd.VAE(sd=comfy.utils.load_torch_file(str(parts.vae)) if parts.vae else pixels)
    return Loaded(model=denoiser, clip=clip, vae=vae)


def shifted(loaded: Loaded, shift: float) -> Loaded:
    """A clone of a flow model whose steps lean towards noise by so much; its scales stay."""
    moved = copy.deepcopy(loaded.model.get_model_object("model_sampling"))
    moved.set_parameters(shift=shift, multiplier=moved.multiplier)
    model = loaded.model.clone()
    model.add_object_patch("model_sampling", moved)
    return replace(loaded, model=model)


def with_lora(loaded: Loaded, lora: ModelFile, weight: float) -> Loaded:
    """A patched clone; the base stays as it is. ModelSearchError where most of the LoRA finds no place in it."""
    assert lora.kind is Kind.LORA
    found = patched(loaded.model, loaded.clip, lora.path, weight, weight)
    if not found.fit.fits:
        raise ModelSearchError(f"{found.fit.why_not(lora.path.name)}; it is for another architecture or variant")
    return replace(loaded, model=found.model, clip=found.clip)
