"""Numbers of a few decimals in twelve bits each: a row's largest is 2047 steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 2047


def pack(rows: NDArray[np.floating]) -> bytes:
    """Of rows (r, n): a step of each as float32 (r,), then two numbers in three bytes, row after row."""
    step = np.abs(rows).max(axis=1, initial=0).astype(np.float32) / LEVELS
    q = np.rint(rows / np.where(step > 0, step, 1)[:, None]).astype(np.int16).ravel() + LEVELS
    first, second = np.resize(q, q.size + q.size % 2).astype(np.uint16).reshape(-1, 2).T
    together = np.stack([first, first >> 8 | second << 4, second >> 4], axis=1) & 255
    return step.tobytes() + together.astype(np.uint8).tobytes()


def size(r: int, n: int) -> int:
    """Bytes of rows (r, n)."""
    return 4 * r + 3 * ((r * n + 1) // 2)


def unpack(blob: bytes, r: int, n: int) -> NDArray[np.float32]:
    """(r, n)"""
    step = np.frombuffer(blob, np.float32, r)
    first, middle, last = np.frombuffer(blob, np.uint8, offset=4 * r).reshape(-1, 3).T.astype(np.int16)
    q = np.stack([first | (middle & 15) << 8, middle >> 4 | last << 4], axis=1).ravel()[: r * n]
    return (q - np.int16(LEVELS)).reshape(r, n) * step[:, None]
