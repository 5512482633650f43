"""Features in as few bytes as an answer needs: half precision, or a byte a number about their mean."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features

FEWEST = 8  # rows from which on the middle and the scale cost less than they save
LEVELS = 127
STEPS = 16  # of a scale to its half: it is at most a twentieth coarser than it need be
LEAST = np.finfo(np.float32).tiny  # to divide by
_SMALLER = np.exp2(-np.arange(256) / STEPS).astype(np.float32)


class Packing(IntEnum):
    """How a block of rows (S, D) is stored."""

    HALF = 0  # float16 (S, D)
    BYTES = 1  # as written before: float16 centre (D,), float16 scale (D,), int8 (S, D)
    TERSE = 2  # float32 step and largest scale, int8 centre (D,), uint8 scale (D,), int8 (S, D)

    def before_rows(self, dimension: int) -> int:
        """Bytes."""
        return {Packing.HALF: 0, Packing.BYTES: 4 * dimension, Packing.TERSE: 8 + 2 * dimension}[self]

    def of_row(self, dimension: int) -> int:
        """Bytes."""
        return 2 * dimension if self is Packing.HALF else dimension

    def fits(self, size: int, rows: int) -> bool:
        """Whether so many bytes may be so many rows, of whatever dimension."""
        once = self.before_rows(0)
        each = self.before_rows(1) - once + rows * self.of_row(1)
        return each > 0 and size > once and (size - once) % each == 0


def packing_of(rows: Features) -> Packing:
    """What suits that many rows."""
    return Packing.TERSE if len(rows) >= FEWEST else Packing.HALF


def pack(rows: Features, packing: Packing) -> bytes:
    """z = centre + scale·q, q a whole number up to 127: off by at most half a scale, about 1/254 of a feature's range.
    ValueError for a packing that is only read any more."""
    if packing is Packing.HALF:
        return np.ascontiguousarray(rows, np.float16).tobytes()
    if packing is not Packing.TERSE:
        raise ValueError(f"rows are packed as {Packing.HALF!r} or {Packing.TERSE!r}, not as {packing!r}")
    Z = np.asarray(rows, np.float32)
    low, high = Z.min(axis=0), Z.max(axis=0)
    step = np.float32(np.abs(low + high).max() / 2 / LEVELS)
    centre = np.rint((low + high) / 2 / (step or 1)).astype(np.int8)
    reach = np.maximum(high - centre * step, centre * step - low)
    largest = np.float32(reach.max() / LEVELS * (1 + 1e-6))
    smaller = np.floor(STEPS * np.log2(np.maximum(largest * LEVELS, LEAST) / np.maximum(reach, LEAST)))
    by = np.clip(smaller, 0, 255).astype(np.uint8)
    q = np.rint((Z - centre * step) / np.maximum(largest * _SMALLER[by], LEAST))
    first = np.array([step, largest], np.float32).tobytes() + centre.tobytes() + by.tobytes()
    return first + np.clip(q, -LEVELS, LEVELS).astype(np.int8).tobytes()


def first_rows(blob: bytes, rows: int, dimension: int, packing: Packing) -> bytes:
    """The same of the first rows only."""
    return blob[: packing.before_rows(dimension) + rows * packing.of_row(dimension)]


def unpack(blob: bytes, dimension: int, packing: Packing) -> NDArray[np.floating]:
    """(S, D): float16 as it was stored, or float32 of bytes."""
    if packing is Packing.HALF:
        return np.frombuffer(blob, np.float16).reshape(-1, dimension)
    rows = np.empty(((len(blob) - packing.before_rows(dimension)) // dimension, dimension), np.float32)
    unpack_into(rows, blob, packing)
    return rows


def unpack_into(rows: NDArray[np.float32], blob: bytes, packing: Packing) -> None:
    """Into an array of the right shape (S, D)."""
    dimension = rows.shape[1]
    if packing is Packing.HALF:
        rows[:] = np.frombuffer(blob, np.float16).reshape(rows.shape)
        return
    centre, scale = (_before if packing is Packing.BYTES else _terse)(blob, dimension)
    q = np.frombuffer(blob, np.int8, offset=packing.before_rows(dimension)).reshape(rows.shape)
    np.multiply(q, scale, out=rows)
    rows += centre


def _before(blob: bytes, dimension: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centre (D,) and scale (D,)."""
    centre, scale = np.frombuffer(blob, np.float16, 2 * dimension).reshape(2, dimension).astype(np.float32)
    return centre, scale


def _terse(blob: bytes, dimension: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    step, largest = np.frombuffer(blob, np.float32, 2)
    by = np.frombuffer(blob, np.uint8, dimension, offset=8 + dimension)
    return np.frombuffer(blob, np.int8, dimension, offset=8) * step, _SMALLER[by] * largest


def to_array(rows: Features) -> NDArray[np.uint8]:
    """Rows (n, D) among other arrays, packed as suits so many: D, how they are packed, then their bytes."""
    packing = packing_of(rows)
    return np.frombuffer(np.array([rows.shape[1], packing], np.uint32).tobytes() + pack(rows, packing), np.uint8)


def from_array(array: NDArray[Any]) -> NDArray[np.float32]:
    """(n, D); earlier versions have kept them as they were."""
    if array.dtype != np.uint8:
        return array.astype(np.float32)
    dimension, packing = array[:8].view(np.uint32).tolist()
    return np.asarray(unpack(array[8:].tobytes(), dimension, Packing(packing)), np.float32)
