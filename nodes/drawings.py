"""The drawings that LoRA are asked with for search by style, and their latents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import comfy.model_management as memory
import torch
from PIL import Image

from ..modelsearch_core.encoders import open_subject_drawer
from ..modelsearch_core.generators.reference_only import Reference
from ..modelsearch_core.generators.reference_plan import NOISE_SEED
from ..modelsearch_core.probes import ProbeSet
from ..modelsearch_core.reference_set import ReferenceSet, read_subjects, reference_set
from . import places
from .images import to_images
from .lending import Loaded


@cache
def references() -> ReferenceSet:
    """The user's own subjects or the bundled ones, drawn once; `references.cache_clear()` gives the memory back."""
    own = places.subjects_folder()
    subjects = read_subjects(own) if own.is_dir() else read_subjects()
    device = str(memory.get_torch_device())
    return reference_set(subjects, open_subject_drawer(device=device, folders=places.weights_folders()))


def reference_of(
    loaded: Loaded, probe_set: ProbeSet, drawings: Sequence[Image.Image], seeds: Sequence[int]
) -> Reference:
    """One drawing for each picture that starts from these seeds."""
    size = probe_set.width, probe_set.height
    pixels = to_images([drawing.resize(size, Image.Resampling.BICUBIC) for drawing in drawings])
    latents = loaded.model.model.process_latent_in(loaded.vae.encode(pixels))
    return Reference(
        latents=latents,
        noise=torch.stack([_noise(latents[0], seed) for seed in seeds]),
        weight=probe_set.reference_weight,
        style_fidelity=probe_set.style_fidelity,
    )


def drawings_of(known: ReferenceSet | None, probe_set: ProbeSet, numbers: Sequence[int]) -> list[Image.Image]:
    """One for each of the probes; none where they have none."""
    names = [name for number in numbers if (name := probe_set.probes[number].drawing)]
    if names and (known is None or len(names) < len(numbers)):
        raise ValueError(f"{len(names)} of {len(numbers)} probes have a drawing; all must, or none")
    return [known.by_digest[name] for name in names] if known else []


def _noise(latent: Any, seed: int) -> torch.Tensor:
    """Not the picture's own: with that one the drawing is nearly the picture at the first steps."""
    generator = torch.Generator("cpu").manual_seed(seed + NOISE_SEED)
    return torch.randn(latent.shape, generator=generator).to(latent)
