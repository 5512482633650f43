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


def unpack(blobs: NDArray[np.uint8], r: int, n: int) -> NDArray[np.float32]:
    """(M, r, n) of M blobs (M, bytes): of many at once, as each by itself would take ten times as long."""
    step = blobs[:, : 4 * r].copy().view(np.float32)
    first, middle, last = (blobs[:, 4 * r + turn :: 3] for turn in range(3))
    q = np.empty((*middle.shape, 2), np.int16)
    q[..., 0] = first | (middle & 15).astype(np.int16) << 8
    q[..., 1] = middle >> 4 | last.astype(np.int16) << 4
    q -= LEVELS
    return q.reshape(len(blobs), -1)[:, : r * n].reshape(-1, r, n) * step[:, :, None]
