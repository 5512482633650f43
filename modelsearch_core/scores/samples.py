"""The samples of many models in one array: Z (N, D), model m's at Z[offsets[m]:offsets[m+1]].

Everything is worked through in blocks of whole models, so that memory stays bounded however many models and queries.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features

Offsets = NDArray[np.integer]  # (M+1,), rising from 0 to N

BLOCK = 2**23  # numbers held at once, 32 MB


def offsets_of(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """(M,) samples of each model → (M+1,) offsets."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def sizes(offsets: Offsets) -> NDArray[np.integer]:
    """S of each model, (M,). ValueError where a model has no sample."""
    counts = np.diff(offsets)
    if (counts < 1).any():
        m = int(np.argmin(counts))
        raise ValueError(f"model {m} has {counts[m]} samples; every model needs one or more")
    return counts


def blocks(offsets: Offsets, width: int) -> Iterator[tuple[int, int]]:
    """Ranges of models [a, b) whose samples × `width` fit in a block; one model at least."""
    sizes(offsets)
    rows = max(1, BLOCK // max(1, width))
    a, models = 0, len(offsets) - 1
    while a < models:
        b = max(a + 1, int(np.searchsorted(offsets, offsets[a] + rows, side="right")) - 1)
        yield a, b
        a = b


def cosines(Z: Features, offsets: Offsets, h: Features) -> Iterator[tuple[slice, NDArray[np.floating], Offsets]]:
    """z·h block by block: (these models, cosines (T, n) of their samples, their offsets into these)."""
    h = np.asarray(h, np.float32)
    for a, b in blocks(offsets, max(h.shape[1], len(h))):
        samples = np.asarray(Z[offsets[a] : offsets[b]], np.float32)
        yield slice(a, b), h @ samples.T, offsets[a : b + 1] - offsets[a]


def by_size(offsets: Offsets) -> Iterator[tuple[NDArray[np.intp], NDArray[np.integer]]]:
    """Models of equal S together: (these models (g,), the rows of their samples (g, S))."""
    counts = sizes(offsets)
    for size in np.unique(counts):
        models = np.flatnonzero(counts == size)
        yield models, offsets[models][:, None] + np.arange(size)


def by_size_in_blocks(offsets: Offsets, width: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.integer]]]:
    """`by_size` in parts whose samples × `width` fit in a block; one model at least."""
    for models, rows in by_size(offsets):
        step = max(1, BLOCK // (rows.shape[1] * width))
        for a in range(0, len(models), step):
            yield models[a : a + step], rows[a : a + step]


def taken(Z: Features, rows: NDArray[np.integer]) -> Features:
    """Z[rows] (g, S, D) of the rows (g, S) of models; no copy where these follow each other, as where all have as many
    samples."""
    first, last = int(rows[0, 0]), int(rows[-1, -1])
    if last - first + 1 == rows.size and bool((np.diff(rows[:, 0]) == rows.shape[1]).all()):
        return Z[first : last + 1].reshape(*rows.shape, -1)
    return Z[rows]


def mean_of(values: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """Mean over each model's samples along the last axis: (..., N) → (..., M)."""
    return np.add.reduceat(values, offsets[:-1], axis=-1) / sizes(offsets)


def mean_rows(rows: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """Mean of each model's rows: (N, D) → (M, D) float32. A loop: reduceat along axis 0 takes ten times as long."""
    sizes(offsets)
    means = np.empty((len(offsets) - 1, rows.shape[1]), np.float32)
    for m, (a, b) in enumerate(pairwise(offsets)):
        rows[a:b].mean(axis=0, dtype=np.float32, out=means[m])
    return means


def spread(values: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """One value per model laid out over its samples: (..., M) → (..., N)."""
    return np.repeat(values, sizes(offsets), axis=-1)


class _OneThread:
    """For the whole process, from the first who enters to the last who leaves, in whatever order they do."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside and (pools := _pools()) is not None:
                self._limit = pools.limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._limit is not None:
                _take_over()
                self._limit.__exit__(None, None, None)
                self._limit = None


_ONE_THREAD = _OneThread()


def one_thread() -> AbstractContextManager[None]:
    """Linear algebra of small matrices on one thread.

    On several threads of a busy machine it takes tens of times longer, and on an idle one more of the processor.
    """
    return _ONE_THREAD


def _take_over() -> None:
    """threadpoolctl heeds the thread that has set a limit, and no other until that one is done; here it may be another
    that leaves last."""
    for library in _pools().lib_controllers:
        if clear := getattr(library, "clear_controlling_thread", None):
            clear(force=True)


@cache
def _pools() -> Any:
    """The threads of numpy's linear algebra; None in an environment that our requirements were not installed into."""
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController().select(user_api="blas")
