"""Probes with drawings: which models can be asked them, and what is noted of how they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import UnsupportedReferenceError
from ..families import FAMILIES
from ..probes import Probe, ProbeSet
from ..reference_set import ReferenceSet

NOISE_SEED = 2**33  # added to a probe's seed: the drawing's noise must not be the picture's
WITH_A_UNET = tuple(family.name for family in FAMILIES.values() if family.classic)


def check_references(title: str, architecture: str, probes: Sequence[Probe]) -> None:
    """Raises UnsupportedReferenceError where a drawing is asked of what has no self-attention to put it into."""
    if architecture not in WITH_A_UNET and any(probe.drawing for probe in probes):
        raise UnsupportedReferenceError(
            f"reference-only attention is not supported for {architecture} ({title}), using prompts only; "
            f"it needs a UNet: {', '.join(WITH_A_UNET)}"
        )


def with_references(probe_set: ProbeSet, references: ReferenceSet | None) -> ProbeSet:
    """The probe set with how its drawings were made and are looked at; as it is where it has none."""
    drawings = {probe.drawing for probe in probe_set.probes if probe.drawing}
    if not drawings:
        return probe_set
    known = references.by_digest if references else {}
    if references is None or not drawings <= known.keys():
        raise ValueError(f"{len(drawings - known.keys())} of {len(drawings)} drawings are not in the reference set")
    return replace(
        probe_set,
        drawing=references.drawer,
        reference_weight=references.weight,
        style_fidelity=references.style_fidelity,
    )
