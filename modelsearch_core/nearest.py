"""The rows with the largest products with a query, among very many.

`Exact` multiplies with all of them. `InBytes` (faiss, extra `ann`) keeps a byte a number and ranks the best again by
the rows themselves: a quarter of the memory and a small part of the time. It looks at every row, too. Graphs and
inverted lists do not, and lose what lies far from all rows, as texts do, and what passes a narrow filter.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .embedding import Features
from .errors import ModelSearchError
from .ranking import rank

MANY = 100_000  # rows from which on bytes are worth their building
RERANKED = 200  # rows that are ranked again, at least

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Read = Callable[[Rows], Features]  # rows (n, D) of these numbers, ascending


class Nearest(Protocol):
    """One interface for both. `among` (M,) are the only rows that count; fewer than k come back where there are."""

    def best(self, h: NDArray[np.floating], k: int, among: Mask | None = None) -> Rows:
        """The numbers of the k rows with the largest products with h (D,), best first."""
        ...


class Exact:
    def __init__(self, rows: Features) -> None:
        self._rows = np.asarray(rows, np.float32)

    def best(self, h: NDArray[np.floating], k: int, among: Mask | None = None) -> Rows:
        if among is None:
            return rank(self._rows @ np.asarray(h, np.float32), k)[:k]
        models = np.flatnonzero(among)
        return models[rank(self._rows[models] @ np.asarray(h, np.float32), k)[:k]]


class InBytes:
    """`read` gives rows as they are, from wherever they lie; `number` says of which row each added one is."""

    def __init__(self, read: Read, dimension: int) -> None:
        self._read, self._faiss = read, _faiss()
        kind = self._faiss.ScalarQuantizer.QT_8bit_uniform  # two thirds of the time of bytes that faiss scales
        self._index: Any = self._faiss.IndexScalarQuantizer(dimension, kind, self._faiss.METRIC_INNER_PRODUCT)
        self._index.train(np.array([[-1], [1]], np.float32) * np.ones(dimension, np.float32))
        self._centre, self._reach = np.zeros(dimension, np.float32), np.ones(dimension, np.float32)
        self._gone = np.zeros(0, bool)

    @classmethod
    def of(cls, blocks: Iterable[Features], read: Read, some: Features) -> InBytes:
        """Of rows block by block; `some` of them say how far each number reaches."""
        found, some = (
            cls(read, some.shape[1]),
            some[np.isfinite(some).all(axis=1)],
        )  # one broken row would reach any far
        if len(some):
            found._centre = (some.max(axis=0) + some.min(axis=0)) / 2
            reach = np.abs(some - found._centre).max(axis=0)
            found._reach = np.where(reach > 0, reach, 1).astype(np.float32)
        for block in blocks:
            found.add(block)
        return found

    def __len__(self) -> int:
        return self._index.ntotal

    def add(self, rows: Features) -> None:
        """Behind those that are there."""
        self._index.add(np.ascontiguousarray((rows - self._centre) / self._reach, np.float32))
        self._gone = np.concatenate([self._gone, np.zeros(len(rows), bool)])

    def also(self, rows: Features, read: Read) -> InBytes:
        """Another one with these rows, if any, behind those that are there; this one goes on as it is."""
        found = copy.copy(self)
        found._read = read
        if len(rows):
            found._index = self._faiss.clone_index(self._index)
            found.add(rows)
        return found

    def remove(self, numbers: Rows) -> None:
        """They are found no more; the numbers of the others stay."""
        self._gone[numbers] = True

    def best(self, h: NDArray[np.floating], k: int, among: Mask | None = None) -> Rows:
        near = np.sort(self.near(h, max(RERANKED, 2 * k), among))
        return near[rank(self._read(near) @ np.asarray(h, np.float32), k)[:k]]

    def near(self, h: NDArray[np.floating], k: int, among: Mask | None = None) -> Rows:
        """The k best by their bytes alone, best first."""
        return self.with_products(h, k, among)[0]

    def with_products(
        self, h: NDArray[np.floating], k: int, among: Mask | None = None
    ) -> tuple[Rows, NDArray[np.float32]]:
        """These, and their bytes' products with h, but for what is the same for all."""
        allowed = ~self._gone if among is None else among & ~self._gone
        query, how = np.ascontiguousarray((h * self._reach)[None], np.float32), None
        if not allowed.all():
            bits = np.packbits(allowed, bitorder="little")
            how = self._faiss.SearchParameters(
                sel=self._faiss.IDSelectorBitmap(len(allowed), self._faiss.swig_ptr(bits))
            )
        k = min(k, int(allowed.sum()))
        if not k:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        (products,), (numbers,) = self._index.search(query, k, params=how)
        found = numbers >= 0
        return numbers[found].astype(np.intp), products[found]


def is_there() -> bool:
    """Whether `InBytes` can be had."""
    return find_spec("faiss") is not None


def _faiss() -> Any:
    if not is_there():
        raise ModelSearchError('rows in bytes need faiss; pip install "model-search[ann]"')
    import faiss

    faiss.omp_set_num_threads(1)  # one query on several threads takes four times as long
    return faiss
