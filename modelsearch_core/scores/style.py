"""Style distance for LoRA (Vu et al., "Image-Generation AI Model Retrieval by Contrastive Learning-based ...").

v: style vector of one of a model's reference pictures, S of them a model in V (N, d).  μ: their mean.
σ²: mean of ‖v − μ‖².  q: style vector of a query.  What shrinks with likeness is a distance.

Formulas, sources, constants: docs/methods.md 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .samples import Offsets, blocks, mean_of, mean_rows, sizes

Distances = NDArray[np.floating]  # (T, M)


def mean_style_distances(V: Features, offsets: Offsets, q: Features) -> Distances:
    """d_avg(q, m), the mean of ‖q − v‖ over a model's reference pictures: equation 3. T·N comparisons."""
    distances = np.empty((len(q), len(offsets) - 1), np.float32)
    for a, b in blocks(offsets, max(q.shape[1], len(q))):
        rows, local = V[offsets[a] : offsets[b]], offsets[a : b + 1] - offsets[a]
        distances[:, a:b] = mean_of(euclidean(q, rows), local)
    return distances


class Moments(NamedTuple):
    """What the fast form keeps of each model."""

    means: Features  # μ (M, d)
    spreads: NDArray[np.floating]  # σ² (M,)


def moments(V: Features, offsets: Offsets) -> Moments:
    """μ and σ² of every model."""
    means = mean_rows(V, offsets)
    deviation = V - np.repeat(means, sizes(offsets), axis=0)
    return Moments(means, mean_of((deviation**2).sum(axis=1), offsets))


def root_mean_square_style_distances(of: Moments, q: Features) -> Distances:
    """√(‖q − μ‖² + σ²), which is √(mean of ‖q − v‖²) exactly, and never below the mean distance. T·M comparisons."""
    return np.sqrt(euclidean(q, of.means) ** 2 + of.spreads)


@dataclass(frozen=True)
class Shortlist:
    """The fast form: all models by their moments, the `pool` nearest of them by all of their vectors.

    M + pool·S comparisons a query in place of M·S; the rest keep the first look's distance, which is never too small.
    """

    V: Features
    offsets: Offsets
    of: Moments
    pool: int = 50

    def __call__(self, q: Features) -> Distances:
        """(T, M)"""
        distances = root_mean_square_style_distances(self.of, q)
        nearest = np.argsort(distances, axis=1)[:, : self.pool]
        for row, models in zip(range(len(q)), nearest, strict=True):
            distances[row, models] = self._exactly(q[row : row + 1], models)
        return distances

    def _exactly(self, q: Features, models: NDArray[np.integer]) -> NDArray[np.floating]:
        spans = [np.arange(int(self.offsets[m]), int(self.offsets[m + 1])) for m in models]
        local = np.concatenate([[0], np.cumsum([len(span) for span in spans])])
        return mean_style_distances(self.V[np.concatenate(spans)], local, q)[0]


def euclidean(a: Features, b: Features) -> NDArray[np.floating]:
    """‖a_i − b_j‖, (len(a), len(b)), without ever forming a difference of all pairs."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    return np.sqrt(np.maximum(squared, 0))
