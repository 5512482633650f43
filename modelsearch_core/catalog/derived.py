"""What is stored beside a specification's rows: their mean, that of its drawings, and the factors of its densities.

The axes V (r, D) of a density are U·X/√λ of its S centred samples X, so U (r, S) and λ are enough where the samples are
read anyway. They are worked out from the rows as they are stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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


class Stored(NamedTuple):
    """A density of S samples beside rows that are packed so; None for what has none."""

    blob: bytes | None
    samples: int
    packing: Packing


def factors_from(stored: Sequence[Stored], D: int) -> list[Factors | None]:
    """Of each; None, too, for a blob that is of other samples. Those of equally many at once."""
    alike: dict[tuple[int, int, Packing], list[int]] = defaultdict(list)
    for place, (blob, samples, packing) in enumerate(stored):
        if blob:
            alike[len(blob), samples, packing].append(place)
    found: list[Factors | None] = [None] * len(stored)
    for (size, samples, packing), places in alike.items():
        blobs = np.frombuffer(b"".join(stored[place].blob or b"" for place in places), np.uint8).reshape(-1, size)
        for place, of in zip(places, _factors(blobs, min(samples, D), packing), strict=False):
            found[place] = of
    return found


def _factors(blobs: NDArray[np.uint8], width: int, packing: Packing) -> Iterator[Factors]:
    """Of blobs (M, bytes), U of `width` numbers a row. Beside rows as they were written before, U is float16."""
    in_halves = packing is Packing.BYTES
    sizes = [4 * r + (2 * r * width if in_halves else twelve_bits.size(r, width)) for r in range(width + 1)]
    if blobs.shape[1] not in sizes:
        return
    r = sizes.index(blobs.shape[1])
    of_U = blobs[:, 4 * r :]
    U = of_U.copy().view(np.float16).reshape(-1, r, width) if in_halves else twelve_bits.unpack(of_U, r, width)
    yield from map(Factors, blobs[:, : 4 * r].copy().view(np.float32), U)
