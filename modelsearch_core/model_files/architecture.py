"""What a file is: kind, architecture and way of writing, from the names and shapes of its tensors alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import UnreadableModelError
from .bystanders import bystander, companion_of_control, is_latent_upscaler
from .denoisers import SIGNATURES, denoiser_of
from .header import TABLES_KEPT, Header, Layout
from .model_file import Kind
from .networks import UNKNOWN, Shapes, is_for_language_model, network_architecture, network_of

ARCHITECTURES = (
    *("sd15", "sd2", "sdxl", "sdxl_refiner", "sd_mini", "svd", "kolors"),
    *dict.fromkeys(architecture for architecture, _ in SIGNATURES),
    UNKNOWN,
)
_COMPANIONS = (  # what a checkpoint has besides the diffusion model
    *("first_stage_model.", "vae.", "cond_stage_model.", "conditioner."),
    *("text_encoder.", "text_encoders.", "text_encoder_2.", "text_encoder_3."),
)
_HINTS = (  # how what trainers write into metadata begins
    ("stable-diffusion-v1", "sd15"),
    ("stable-diffusion-v2", "sd2"),
    ("stable-diffusion-xl", "sdxl"),
    ("stable-diffusion-3", "sd3"),
    ("flux-2", "flux2"),
    ("flux-1", "flux"),
    ("chroma", "chroma"),
    ("lumina-2", "lumina2"),
    ("qwen-image", "qwen_image"),
    ("wan2", "wan"),
    ("sd_v1", "sd15"),
    ("sd_v2", "sd2"),
    ("sd_1.5", "sd15"),
    ("sdxl", "sdxl"),
    ("sd3", "sd3"),
    ("flux2", "flux2"),
    ("flux1", "flux"),
    ("zimage", "z_image"),
    ("z-image", "z_image"),
)


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What a file turned out to be."""

    kind: Kind
    architecture: str
    network: str | None = None


def recognise_header(header: Header) -> Recognised:
    """What a safetensors file is; trainers' metadata are asked only where names and shapes leave it open."""
    found = recognise_layout(header.layout)
    hint = _hint(header.metadata) if found.kind is Kind.LORA else None
    if hint and (found.architecture == UNKNOWN or (found.architecture, hint) == ("flux", "chroma")):
        return replace(found, architecture=hint)  # Chroma's blocks have FLUX.1's names and shapes
    return found


@lru_cache(maxsize=TABLES_KEPT)
def recognise_layout(layout: Layout) -> Recognised:
    """`recognise`, once for all files of a layout."""
    return recognise(layout.shapes)


def recognise(shapes: Shapes) -> Recognised:
    """What the tensors make up. Raises UnreadableModelError for what is no model that generates."""
    control = companion_of_control(shapes)
    if control:
        raise UnreadableModelError(f"{control}, which generates nothing on its own")
    network = network_of(shapes)
    if network is None:
        return _base_model(shapes)
    if is_for_language_model(shapes):
        raise UnreadableModelError("a LoRA of a language model, which generates no images")
    return Recognised(kind=Kind.LORA, architecture=network_architecture(shapes), network=network)


def _base_model(shapes: Shapes) -> Recognised:
    denoiser = denoiser_of(shapes)
    if denoiser is None:
        raise UnreadableModelError(_why_not(shapes))
    prefix, architecture = denoiser
    if is_latent_upscaler(shapes, prefix):
        raise UnreadableModelError("an upscaler, which generates nothing on its own")
    complete = any(name.startswith(_COMPANIONS) for name in shapes)
    return Recognised(kind=Kind.CHECKPOINT if complete else Kind.DIFFUSION_MODEL, architecture=architecture)


def _hint(metadata: Mapping[str, str]) -> str | None:
    for key in ("modelspec.architecture", "ss_base_model_version"):
        for start, architecture in _HINTS:
            if metadata.get(key, "").lower().startswith(start):
                return architecture
    return None


def _why_not(shapes: Shapes) -> str:
    what = bystander(shapes)
    if what:
        return f"{what}, which generates nothing on its own"
    if not shapes:
        return "it holds no tensors"
    return (
        f"no known diffusion model or LoRA among its {len(shapes)} tensors (the first is {next(iter(shapes))[:100]!r})"
    )
