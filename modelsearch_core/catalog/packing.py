"""Features in as few bytes as an answer needs: half precision, or a byte a number about their mean."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features

FEWEST = 8  # rows from which on the mean and the scale cost less than they save
LEVELS = 127


class Packing(IntEnum):
    """How a block of rows (S, D) is stored."""

    HALF = 0  # float16 (S, D)
    BYTES = 1  # float16 centre (D,), float16 scale (D,), int8 (S, D)


def packing_of(rows: Features) -> Packing:
    """What suits that many rows."""
    return Packing.BYTES if len(rows) >= FEWEST else Packing.HALF


def pack(rows: Features, packing: Packing) -> bytes:
    """z = centre + scale·q, q a whole number up to 127: off by at most half a scale, 1/254 of a feature's range."""
    if packing is Packing.HALF:
        return np.ascontiguousarray(rows, np.float16).tobytes()
    Z = np.asarray(rows, np.float32)
    low, high = Z.min(axis=0), Z.max(axis=0)
    centre = ((low + high) / 2).astype(np.float16)
    reach = np.maximum(high - centre, centre - low)
    scale = np.nextafter(reach / LEVELS, np.inf).astype(np.float16)
    scale = np.where(scale.astype(np.float32) * LEVELS < reach, np.nextafter(scale, np.float16(np.inf)), scale)
    q = np.rint((Z - centre) / np.maximum(scale.astype(np.float32), np.finfo(np.float16).smallest_subnormal))
    return centre.tobytes() + scale.tobytes() + np.clip(q, -LEVELS, LEVELS).astype(np.int8).tobytes()


def first_rows(blob: bytes, rows: int, dimension: int, packing: Packing) -> bytes:
    """The same of the first rows only."""
    if packing is Packing.HALF:
        return blob[: 2 * dimension * rows]
    return blob[: dimension * (4 + rows)]


def unpack(blob: bytes, dimension: int, packing: Packing) -> NDArray[np.floating]:
    """(S, D): float16 as it was stored, or float32 of bytes."""
    if packing is Packing.HALF:
        return np.frombuffer(blob, np.float16).reshape(-1, dimension)
    rows = np.empty((len(blob) // dimension - 4, dimension), np.float32)
    unpack_into(rows, blob, packing)
    return rows


def unpack_into(rows: NDArray[np.float32], blob: bytes, packing: Packing) -> None:
    """Into an array of the right shape (S, D)."""
    dimension = rows.shape[1]
    if packing is Packing.HALF:
        rows[:] = np.frombuffer(blob, np.float16).reshape(rows.shape)
        return
    centre, scale = np.frombuffer(blob, np.float16, 2 * dimension).reshape(2, dimension).astype(np.float32)
    q = np.frombuffer(blob, np.int8, offset=4 * dimension).reshape(rows.shape)
    np.multiply(q, scale, out=rows)
    rows += centre
