"""Rows of what was measured to the core's data and back. Those of files are made in `catalog`."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..embedding import Features
from ..probes import Probe, ProbeSet
from ..specification import Evidence, Specification
from .packing import Packing, unpack

LOSSLESS_UP_TO = 96  # pixels; a small picture costs little and keeps every bit


def probe_set_to_json(probe_set: ProbeSet) -> str:
    return json.dumps(asdict(probe_set), ensure_ascii=False)


def probe_set_from_json(text: str) -> ProbeSet:
    values: dict[str, Any] = json.loads(text)
    values["probes"] = tuple(Probe(**probe) for probe in values["probes"])
    return ProbeSet(**_tuples(values))


def specification_from_row(row: tuple[Any, ...], dimension: int) -> Specification:
    """From (fingerprint, digest, encoder, evidence, strength, consistency, numbers, packing, z, drawings)."""
    fingerprint, digest, encoder, evidence, strength, consistency, numbers, packing, z, drawings = row
    packing = Packing(packing)
    Z = unpack(z, dimension, packing)
    return Specification(
        fingerprint=fingerprint,
        digest=digest,
        encoder=encoder,
        evidence=Evidence(evidence),
        Z=Z,
        numbers=np.frombuffer(whole_numbers(numbers, len(Z)), dtype=np.int32),
        drawings=unpack(drawings, dimension, packing) if drawings else None,
        strength=strength,
        consistency=consistency,
    )


def numbers_to_blob(numbers: NDArray[np.integer]) -> bytes:
    """int32 (S,); nothing where they are 0, 1, 2, …, as they mostly are."""
    told = np.asarray(numbers, np.int32)
    return b"" if np.array_equal(told, np.arange(len(told))) else told.tobytes()


def whole_numbers(blob: bytes, samples: int) -> bytes:
    """int32 (S,)"""
    return blob or np.arange(samples, dtype=np.int32).tobytes()


def half(blob: bytes, dimension: int) -> NDArray[np.float16]:
    """A stored (n, D) block of features."""
    return np.frombuffer(blob, dtype=np.float16).reshape(-1, dimension)


def to_half(features: Features) -> bytes:
    return np.ascontiguousarray(features, dtype=np.float16).tobytes()


def to_webp(image: Image.Image) -> bytes:
    """A thumbnail's bytes. What is encoded into features is this picture, so a later encoder sees the same."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85, lossless=max(image.size) <= LOSSLESS_UP_TO)
    return buffer.getvalue()


def from_webp(blob: bytes) -> Image.Image:
    return Image.open(io.BytesIO(blob)).convert("RGB")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
