"""Which diffusion model a state dict holds: U-Nets by the width of their context, transformers by names and widths.

Names are those of the original releases and of diffusers, as the families' records have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from os.path import commonprefix
from typing import NamedTuple

from ..families import FAMILIES, UNKNOWN, Family, No, Release, Variant, known
from .packed import Shapes
from .unets import context_architecture

PREFIXES = ("model.diffusion_model.", "", "diffusion_model.", "model.", "net.", "transformer.", "unet.", "prior.")
UNET_NAMES = ("input_blocks.0.0.weight", "conv_in.weight")
KOLORS_CONTEXT = 2048
_OTHER_UNETS = (  # parts of names that no Stable Diffusion has
    ("temp_attentions.", "a U-Net for video, of ModelScope's kind"),
    ("temopral_conv.", "a U-Net for video, of ModelScope's or VideoCrafter's kind"),  # sic
    ("input_blocks.1.2.", "a U-Net for video, of VideoCrafter's kind"),
    (".motion_modules.", "a U-Net with AnimateDiff's motion modules in it"),
    ("encoder_hid_proj.image_embeds.", "a U-Net that takes features of pictures, as Kandinsky 2 does"),
    (".add_k_proj.", "a U-Net of DeepFloyd IF's or Kandinsky's kind"),
)
LABELS = ("label_emb.0.0.weight", "add_embedding.linear_1.weight")


class Denoiser(NamedTuple):
    """`why` says what speaks against the families that it looks like, where it is of none."""

    prefix: str
    architecture: str
    variant: str | None = None
    why: str = ""


def denoiser_of(shapes: Shapes) -> Denoiser | None:
    """The diffusion model among the tensors, None when there is none that is known."""
    reasons: list[Denoiser] = []
    for prefix in (*PREFIXES, *_own_prefix(shapes)):
        found = _transformer(shapes, prefix) or _unet(shapes, prefix)
        if found and found.architecture != UNKNOWN:
            return found
        reasons += [found] if found else []
    if reasons:
        return reasons[0]
    if any(name.startswith(PREFIXES[0]) for name in shapes):
        return Denoiser(PREFIXES[0], UNKNOWN, why="its tensors are named like no model that is known")
    return None


def _own_prefix(shapes: Shapes) -> list[str]:
    """What all names begin with: `module.`, `_orig_mod.`, `dit.`, ..."""
    prefix, dot, _ = commonprefix(list(shapes)).rpartition(".")  # noqa: RUF071
    return [prefix + dot] if dot and prefix + dot not in PREFIXES else []


def _transformer(shapes: Shapes, prefix: str) -> Denoiser | None:
    """The first family one of whose releases has these names and widths; a reason where only the widths differ."""
    why = ""
    for family, release in RELEASES:
        if not _has_names(shapes, prefix, release):
            continue
        width = _width(shapes, prefix, release)
        variants = known(family.variants)
        fitting = [each for each in variants if width in (None, each.width)]
        if fitting or not variants:
            variant = _variant(shapes, prefix, release, fitting)
            return Denoiser(prefix, family.name, variant.name if variant else None)
        why = why or f"its tensors are named like those of {family.title}, but it is {width} wide"
    return Denoiser(prefix, UNKNOWN, why=why) if why else None


def _has_names(shapes: Shapes, prefix: str, release: Release) -> bool:
    return all(_holds(shapes, prefix, condition) for condition in release.names)


def _holds(shapes: Shapes, prefix: str, condition: str) -> bool:
    """A tensor that must be there, with `!` must not, with `=` and a width must have that many inputs."""
    wanted = not condition.startswith("!")
    name, _, width = condition.removeprefix("!").partition("=")
    shape = shapes.get(prefix + name)
    return (shape is not None and (not width or shape[-1:] == (int(width),))) is wanted


def _width(shapes: Shapes, prefix: str, release: Release) -> int | None:
    for stack in release.stacks:
        shape = shapes.get(prefix + stack.format(0), ())
        if len(shape) == 2 and shape[1] > 1:
            return shape[1]
    return None


def _variant(shapes: Shapes, prefix: str, release: Release, fitting: list[Variant]) -> Variant | None:
    """Of variants that fit by their widths, the one with as many blocks; the only one whatever it has."""
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    counts = {stack.partition(".{}")[0]: _count(shapes, prefix + stack) for stack in release.stacks}
    return next((each for each in fitting if counts.items() <= each.blocks.items()), None)


def _count(shapes: Shapes, stack: str) -> int:
    number = 0
    while stack.format(number) in shapes:
        number += 1
    return number


def _unet(shapes: Shapes, prefix: str) -> Denoiser | None:
    if not any(prefix + name in shapes for name in UNET_NAMES):
        return None
    names = [name for name in shapes if name.startswith(prefix)]
    if any(".time_stack." in name or ".temporal_transformer_blocks." in name for name in names):
        return Denoiser(prefix, "svd")
    other = next((why for part, why in _OTHER_UNETS if any(part in name for name in names)), None)
    if other:
        return Denoiser(prefix, UNKNOWN, why=other)
    contexts = [shapes[name][-1] for name in names if name.endswith("attn2.to_k.weight")]
    if not contexts:
        return None
    if f"{prefix}encoder_hid_proj.weight" in shapes and contexts[0] == KOLORS_CONTEXT:
        return Denoiser(prefix, "kolors")
    labels = next((shapes[prefix + name][-1] for name in LABELS if prefix + name in shapes), None)
    architecture = context_architecture(contexts[0], labels)
    beside = f" and labels {labels} wide" if labels else ""
    why = f"a U-Net for text features {contexts[0]} wide{beside}" if architecture == UNKNOWN else ""
    return Denoiser(prefix, architecture, why=why)


def _releases() -> Iterator[tuple[Family, Release]]:
    for family in FAMILIES.values():
        if not isinstance(family.releases, No):
            yield from ((family, release) for release in family.releases)


RELEASES = tuple(_releases())
