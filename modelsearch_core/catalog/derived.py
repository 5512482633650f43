"""What is stored beside a specification's rows: their mean, that of its drawings, and the factors of its densities.

The axes V (r, D) of a density are U·X/√λ of its S centred samples X, so U (r, S) and λ are enough where the samples are
read anyway. They are worked out from the rows as they are stored.
"""

from __future__ import annotations

import numpy as np

from ..embedding import Features, unit
from ..scores import gaussian
from ..specification import Evidence, Factors, Specification
from . import twelve_bits
from .packing import Packing, pack, unpack

MEANS_OF = ("mean", "drawn_mean")
MEANS = 1  # version of both


def means_of(of: Specification) -> dict[str, tuple[int, bytes]]:
    """(version, float16 (D,)) by name."""
    rows = {"mean": of.Z} if of.evidence.has_mean else {}
    if of.evidence is Evidence.GENERATED and of.drawings is not None:
        rows["drawn_mean"] = unit(np.asarray(of.drawings, np.float32))
    means = {name: np.average(np.asarray(Z, np.float32), axis=0, weights=of.shares) for name, Z in rows.items()}
    return {name: (MEANS, mean.astype(np.float16).tobytes()) for name, mean in means.items()}


def density_of(Z: Features | None, evidence: Evidence, packing: Packing) -> bytes | None:
    """λ as float32, then U in twelve bits a number; None for what has too few samples to be worth it."""
    if Z is None or not evidence.is_dense or packing is Packing.HALF:
        return None
    stored = unit(np.asarray(unpack(pack(Z, packing), Z.shape[1], packing), np.float32))
    λ, U = gaussian.factors(stored)
    return λ.astype(np.float32).tobytes() + twelve_bits.pack(U)


def factors_from(blob: bytes | None, S: int, D: int, packing: Packing) -> Factors | None:
    """Of a stored density of S samples. Beside rows as they were written before, U is float16."""
    if blob is None:
        return None
    width = S if S <= D else D
    if packing is Packing.BYTES:
        r = len(blob) // (4 + 2 * width)
        return Factors(np.frombuffer(blob, np.float32, r), np.frombuffer(blob, np.float16, offset=4 * r).reshape(r, -1))
    r = next((r for r in range(S + 1) if 4 * r + twelve_bits.size(r, width) == len(blob)), None)
    if r is None:
        return None  # of other samples than these
    return Factors(np.frombuffer(blob, np.float32, r), twelve_bits.unpack(blob[4 * r :], r, width))
