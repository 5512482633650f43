"""What a file is: kind, family, variant, way of writing; by names and shapes, by words where they leave it open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import UnreadableModelError
from ..families import FAMILIES, UNKNOWN, Family, No, family_called, family_of_class, variant_called
from .adapted import Judged, adapted_by, judge
from .bystanders import bystander, companion_of_control, is_latent_upscaler, said_of
from .denoisers import denoiser_of
from .header import TABLES_KEPT, Header, Layout
from .model_file import Kind
from .networks import (
    is_for_language_model,
    is_for_sound,
    is_for_unet,
    network_of,
    text_encoder_architecture,
    unet_architecture,
)
from .packed import Shapes, unpacked
from .tensor_names import TensorNames

_COMPANIONS = (  # what a checkpoint has besides the diffusion model
    *("first_stage_model.", "vae.", "cond_stage_model.", "conditioner."),
    *("text_encoder.", "text_encoders.", "text_encoder_2.", "text_encoder_3."),
)
_TEXT_ENCODERS = re.compile(r"lora_te|text_encoder|SelfAttention")
_UNTOLD = {
    True: "it adapts text encoders alone, which several families have",
    False: "its layers are named like those of no model that is known",
}
_TRAINERS_WORDS = ("modelspec.architecture", "ss_base_model_version")


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What a file turned out to be. `twins` are (family, variant) of which names and shapes allow each, the likeliest
    first; `why` says why an architecture is unknown."""

    kind: Kind
    architecture: str
    variant: str | None = None
    network: str | None = None
    twins: tuple[tuple[str, str | None], ...] = ()
    why: str = ""


def recognise_header(header: Header) -> Recognised:
    """What a safetensors file is; metadata of trainers and of nunchaku decide where names and shapes do not."""
    quantised = family_of_class(header.metadata.get("model_class", ""))
    try:
        found = recognise_layout(header.layout)
    except UnreadableModelError:
        if quantised is None:
            raise
        return Recognised(kind=Kind.DIFFUSION_MODEL, architecture=quantised.name)
    if quantised and found.architecture == UNKNOWN:
        return replace(found, architecture=quantised.name, why="")
    return settled(found, trainers_words(header.metadata))


@lru_cache(maxsize=TABLES_KEPT)
def recognise_layout(layout: Layout) -> Recognised:
    """`recognise`, once for all files of a layout."""
    return recognise(layout.shapes)


def recognise(shapes: Shapes) -> Recognised:
    """What the tensors make up. Raises UnreadableModelError for what is no model that generates."""
    names = TensorNames(shapes)
    control = companion_of_control(shapes, names)
    if control:
        raise UnreadableModelError(said_of(control))
    network = network_of(shapes, names)
    if network is None:
        return _base_model(unpacked(shapes))
    if is_for_sound(names):
        raise UnreadableModelError("a LoRA of a model of sound, which generates no images")
    if is_for_language_model(names):
        raise UnreadableModelError("a LoRA of a language model, which generates no images")
    return _lora(shapes, network, names)


def trainers_words(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """What the program that made a file says it is for."""
    return tuple(metadata[key] for key in _TRAINERS_WORDS if metadata.get(key))


def settled(found: Recognised, words: Iterable[str]) -> Recognised:
    """What is left open is decided by the first word that names a family: between twins, and where nothing else tells.

    Names and shapes are never overruled: a word for a family whose layers are others is a mistake.
    """
    for word in words if found.kind is Kind.LORA else ():
        family = family_called(word)
        if family is None:
            continue
        if found.architecture == UNKNOWN and not found.twins:
            return _as(found, family, word)
        fitting = [variant for name, variant in found.twins if name == family.name]
        if fitting:
            named = variant_called(family, word)
            variant = named.name if named and named.name in fitting else fitting[0]
            return replace(found, architecture=family.name, variant=variant, twins=())
        if isinstance(family.layers, No) and isinstance(family.unet, No):
            return _as(found, family, word)  # how its layers are named is not known
    return found


def _as(found: Recognised, family: Family, word: str) -> Recognised:
    variant = variant_called(family, word)
    return replace(found, architecture=family.name, variant=variant.name if variant else None, twins=(), why="")


def _lora(shapes: Shapes, network: str, names: TensorNames) -> Recognised:
    of_unet = is_for_unet(names)
    architecture = unet_architecture(shapes, names) if of_unet else UNKNOWN
    judged = judge(adapted_by(shapes)) if architecture == UNKNOWN else Judged(())
    if of_unet and not judged.fits:
        why = "it adapts no layer that tells which Stable Diffusion it is for" if architecture == UNKNOWN else ""
        return Recognised(
            kind=Kind.LORA, architecture=architecture, network=network, twins=_alike(architecture), why=why
        )
    if judged.fits:
        twins = tuple((fit.family.name, fit.variant.name if fit.variant else None) for fit in judged.fits)
        name, variant = twins[0]
        return Recognised(kind=Kind.LORA, architecture=name, variant=variant, network=network, twins=twins)
    architecture = text_encoder_architecture(shapes, names)
    why = judged.why or _UNTOLD[_TEXT_ENCODERS.search(names.lines) is not None]
    return Recognised(
        kind=Kind.LORA, architecture=architecture, network=network, why=why if architecture == UNKNOWN else ""
    )


def _alike(architecture: str) -> tuple[tuple[str, None], ...]:
    """The families whose U-Nets have text features of the same width."""
    own = FAMILIES[architecture].unet if architecture in FAMILIES else None
    if own is None or isinstance(own, No):
        return ()
    alike = (each for each in FAMILIES.values() if not isinstance(each.unet, No) and each.unet.context == own.context)
    return tuple((each.name, None) for each in alike)


def _base_model(shapes: Shapes) -> Recognised:
    denoiser = denoiser_of(shapes)
    if denoiser is None:
        raise UnreadableModelError(_why_not(shapes))
    if is_latent_upscaler(shapes, denoiser.prefix):
        raise UnreadableModelError(said_of("an upscaler"))
    complete = any(name.startswith(_COMPANIONS) for name in shapes)
    return Recognised(
        kind=Kind.CHECKPOINT if complete else Kind.DIFFUSION_MODEL,
        architecture=denoiser.architecture,
        variant=denoiser.variant,
        why=denoiser.why,
    )


def _why_not(shapes: Shapes) -> str:
    what = bystander(shapes)
    if what:
        return said_of(what)
    if not shapes:
        return "it holds no tensors"
    return (
        f"no known diffusion model or LoRA among its {len(shapes)} tensors (the first is {next(iter(shapes))[:100]!r})"
    )
