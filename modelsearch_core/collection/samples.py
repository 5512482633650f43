"""Rows of several models in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..catalog.catalog import Packed
from ..catalog.derived import Stored, factors_from
from ..catalog.packing import Packing, unpack_into
from ..embedding import Features
from ..scores.samples import offsets_of
from ..specification import Factors


@dataclass(frozen=True)
class Samples:
    """Model m's are Z[offsets[m]:offsets[m+1]]; `numbers` are their probes."""

    Z: Features  # (N, D) float32, unit rows
    offsets: NDArray[np.int64]  # (M+1,)
    numbers: NDArray[np.int32]  # (N,)
    densities: tuple[Factors | None, ...] = ()  # of each model, as far as they are stored

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """(M,): how many rows each model has."""
        return np.diff(self.offsets)

    def owners(self) -> NDArray[np.intp]:
        """(N,): the model of each row."""
        return np.repeat(np.arange(len(self)), self.counts)

    def of(self, m: int) -> Features:
        """Model m's rows."""
        return self.Z[self.offsets[m] : self.offsets[m + 1]]

    def some(self, models: Sequence[int] | NDArray[np.integer]) -> Samples:
        """The rows of some models only, in their order."""
        models = np.asarray(models, np.intp)
        counts = self.counts[models]
        offsets = offsets_of(counts)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[models] - offsets[:-1], counts)
        densities = tuple(self.densities[m] for m in models) if self.densities else ()
        return Samples(self.Z[rows], offsets, self.numbers[rows], densities)

    def keeping(self, kept: NDArray[np.bool_]) -> Samples:
        """The same models by those rows (N,) only; a density is of all rows of a model."""
        counts = np.add.reduceat(kept, self.offsets[:-1], dtype=np.intp) if len(self) else self.counts
        whole = counts == self.counts
        densities = tuple(of if of_all else None for of, of_all in zip(self.densities, whole, strict=False))
        return Samples(self.Z[kept], offsets_of(counts), self.numbers[kept], densities)


def stacked(
    rows: Sequence[tuple[Features, NDArray[np.int32]]], dimension: int, densities: Sequence[Factors | None] = ()
) -> Samples:
    """Of (rows, numbers) of each model."""
    offsets = offsets_of(np.array([len(Z) for Z, _ in rows], np.intp))
    Z = np.empty((int(offsets[-1]), dimension), np.float32)
    for (of, _), a, b in zip(rows, offsets, offsets[1:], strict=False):
        Z[a:b] = of
    numbers = np.concatenate([np.empty(0, np.int32), *(numbers for _, numbers in rows)])
    to_unit(Z)
    return Samples(Z, offsets, numbers, tuple(densities))


def unpacked(rows: Sequence[Packed], dimension: int) -> Samples:
    """Of rows as a catalog keeps them."""
    numbers = np.frombuffer(b"".join(of.numbers for of in rows), np.int32)
    counts = np.array([len(of.numbers) // 4 for of in rows], np.intp)
    offsets = offsets_of(counts)
    Z = np.empty((len(numbers), dimension), np.float32)
    for of, a, b in zip(rows, offsets, offsets[1:], strict=False):
        unpack_into(Z[a:b], of.blob, Packing(of.packing))
        to_unit(Z[a:b])
    stored = [Stored(of.density, S, Packing(of.packing)) for of, S in zip(rows, counts.tolist(), strict=True)]
    return Samples(Z, offsets, numbers, tuple(factors_from(stored, dimension)))


NO_ROWS = Packed(b"", Packing.HALF, b"", None)


def to_unit(Z: Features) -> None:
    """In place; a zero row stays zero."""
    length = np.sqrt(np.einsum("nd,nd->n", Z, Z))[:, None]
    np.divide(Z, np.where(length > 0, length, 1), out=Z)
