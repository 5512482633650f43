"""What a model makes of the reference set's subjects: before (subject, drawing, base) and after."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from ..catalog import Catalog
from ..catalog.records import from_webp
from ..indexing.references import DRAWING, SUBJECT
from ..probes import ProbeSet


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """One subject. `base` is what the LoRA's base makes of the drawing without it."""

    drawing_digest: str
    subject: Image.Image | None
    drawing: Image.Image | None
    base: Image.Image | None
    output: Image.Image


def before_after(catalog: Catalog, fingerprint: str, probe_set: ProbeSet) -> list[BeforeAfter]:
    """In the order of the probes; those that were made."""
    outputs = catalog.sample_images(fingerprint, probe_set.digest)
    base_set = probe_set.for_base()
    bases = catalog.sample_images(probe_set.base, base_set.digest) if probe_set.base else {}
    return [_one(catalog, probe_set, number, bases.get(number), output) for number, output in outputs.items()]


def _one(
    catalog: Catalog, probe_set: ProbeSet, number: int, base: Image.Image | None, output: Image.Image
) -> BeforeAfter:
    digest = probe_set.probes[number].drawing or ""
    subject, drawing = (catalog.sample(kind, digest, 0) for kind in (SUBJECT, DRAWING))
    return BeforeAfter(
        drawing_digest=digest,
        subject=None if subject is None else from_webp(subject),
        drawing=None if drawing is None else from_webp(drawing),
        base=base,
        output=output,
    )
