"""Six models of unequal numbers of samples, a few queries, and blocks small enough to be crossed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from modelsearch_core.embedding import unit
from modelsearch_core.scores import samples


@dataclass(frozen=True)
class Zoo:
    Z: NDArray[np.float32]  # (N, D)
    Q: NDArray[np.float32]  # (N, D)
    offsets: NDArray[np.int64]
    h: NDArray[np.float32]  # (T, D)

    def models(self) -> list[NDArray[np.float32]]:
        return [self.Z[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]


def unit_rows(rng: np.random.Generator, n: int, D: int, about: float = 0.0) -> NDArray[np.float32]:
    """Random unit rows, `about` of which is shared."""
    return unit(rng.standard_normal((n, D)) + about * rng.standard_normal(D)).astype(np.float32)


@pytest.fixture
def zoo() -> Zoo:
    rng = np.random.default_rng(7)
    counts = np.array([1, 3, 17, 8, 40, 17])
    Z = np.concatenate([unit_rows(rng, n, 24, about=1.0) for n in counts])
    return Zoo(Z, unit_rows(rng, len(Z), 24, about=1.0), samples.offsets_of(counts), unit_rows(rng, 5, 24))


@pytest.fixture(params=[2**23, 50], ids=["one block", "many blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models come one by one, or all of equal size together."""
    monkeypatch.setattr(samples, "BLOCK", request.param)
    monkeypatch.setattr("modelsearch_core.scores.gaussian.BLOCK", request.param)
