"""What a model makes of line drawings: the subject, its drawing, what the base makes of it, and the model's picture."""

from __future__ import annotations

from typing import Any

from ..catalog import Catalog
from ..indexing.references import DRAWING, SUBJECT
from ..probes import ProbeSet
from .refusals import RefusedError

PARTS = ("output", "base", "drawing", "subject")


def shown(catalog: Catalog, fingerprint: str, probe_set: ProbeSet | None) -> dict[str, Any]:
    """For a model's page: numbers of the drawings that it, and its base, filled out."""
    if probe_set is None:
        return {"painted": [], "painted_by_base": []}
    base = _key("base", fingerprint, probe_set, 0)
    return {
        "painted": catalog.sample_numbers(fingerprint, probe_set.digest),
        "painted_by_base": catalog.sample_numbers(*base[:2]) if base else [],
    }


def picture(catalog: Catalog, fingerprint: str, probe_set: ProbeSet | None, part: str, number: int) -> bytes:
    """WebP. RefusedError where there is none."""
    if part not in PARTS:
        raise RefusedError(404, f"a drawing has {', '.join(PARTS)}, no {part!r}"[:200])
    known = probe_set is not None and 0 <= number < len(probe_set.probes)
    key = _key(part, fingerprint, probe_set, number) if probe_set is not None and known else None
    webp = catalog.sample(*key) if key else None
    if webp is None:
        raise RefusedError(404, f"there is no {part} {number} of this model")
    return webp


def _key(part: str, fingerprint: str, probe_set: ProbeSet, number: int) -> tuple[str, str, int] | None:
    if part == "output":
        return fingerprint, probe_set.digest, number
    if part == "base":
        return (probe_set.base, probe_set.for_base().digest, number) if probe_set.base else None
    return DRAWING if part == "drawing" else SUBJECT, probe_set.probes[number].drawing or "", 0
