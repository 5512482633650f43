"""The models that a column has nearest to a query, where there are very many: by all rows as they are, or by a byte a
number (`nearest`) once more than one question was asked.

What was put in bytes is taken over when the collection is read again: new rows are added, and those that are gone or
have changed are passed over. Rows that have changed because the mean of all has (directions of models without a base)
are found by what they were, and ranked by what they are.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import nearest
from ..embedding import Features
from ..nearest import Exact, InBytes, Mask, Rows

PATIENCE = 3  # questions after which it is worth while to put rows in bytes
STEP = 10_000  # rows that are put in bytes at once
TRAINED = 65_536  # rows that say how far each number reaches
MOST_GONE = 0.5  # share of the bytes from which on they are made anew


class Nearby:
    """Of unit rows (N, D). `who` (N,) names each as long as it does not change; `owners` (N,) are the models'."""

    def __init__(self, who: Sequence[Hashable], rows: Features, owners: Rows, before: Nearby | None = None) -> None:
        self._who, self._rows, self._owners = who, rows, owners
        self._exact = Exact(rows)
        self._asked = 0
        self._packed: _Packed | None = None
        if before is not None and before._packed is not None:
            self._packed = self._taken_over(before._packed)

    def best(self, h: NDArray[np.floating], k: int, among: Mask) -> Rows:
        """Of these models (M,), those of the k rows with the largest products with h (D,), in the models' order."""
        self._asked += 1
        if self._asked == PATIENCE and self._packed is None and nearest.is_there():
            threading.Thread(target=self.pack, daemon=True).start()
        rows, packed = among[self._owners], self._packed
        if packed is None:
            found = self._exact.best(h, k, rows)
        else:
            found = packed.place[packed.rows.best(h, k, rows[packed.place] & (packed.place >= 0))]
        return np.unique(self._owners[found])

    def pack(self) -> None:
        """Puts all rows in bytes. ModelSearchError where faiss is missing."""
        some = np.random.default_rng(0).permutation(len(self._rows))[:TRAINED]
        place = np.arange(len(self._rows))
        blocks = (self._rows[a : a + STEP] for a in range(0, len(self._rows), STEP))
        self._packed = _Packed(
            list(self._who), place, InBytes.of(blocks, self._reader(place), self._rows[np.sort(some)])
        )

    @property
    def is_packed(self) -> bool:
        return self._packed is not None

    def _reader(self, place: Rows) -> nearest.Read:
        return lambda numbers: self._rows[place[numbers]]

    def _taken_over(self, packed: _Packed) -> _Packed | None:
        now = {who: row for row, who in enumerate(self._who)}
        place = np.array([now.pop(who, -1) for who in packed.who], np.intp)
        if (place < 0).sum() > MOST_GONE * len(place):
            return None
        new = np.fromiter(now.values(), np.intp, len(now))
        place = np.concatenate([place, new])
        return _Packed([*packed.who, *now], place, packed.rows.also(self._rows[new], self._reader(place)))


class _Packed:
    """`place` (n,): where the row of each number stands now, −1 for one that is gone; `who` names it."""

    def __init__(self, who: list[Hashable], place: Rows, rows: InBytes) -> None:
        self.who, self.place, self.rows = who, place, rows
