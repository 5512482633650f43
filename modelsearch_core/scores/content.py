"""Content-based search of generative models (Lu et al., SIGGRAPH Asia 2023, arXiv 2210.03116; docs/methods.md 2).

z: unit feature of a sample, S of them a model.  μ, Σ: their mean and covariance.  μ̃: μ at unit length.
h: unit feature of a query.  τ: temperature; CLIP is trained to 1/τ = 100.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from .samples import Offsets, by_size, cosines, mean_of, mean_rows, sizes, spread

Scores = NDArray[np.floating]  # (T, M)

CLIP_TEMPERATURE = 0.01


def means(Z: Features, offsets: Offsets) -> NDArray[np.floating]:
    """μ of every model, (M, D). `unit` makes μ̃ of it."""
    return mean_rows(Z, offsets)


def first_moment(means_unit: Features, h: Features) -> Scores:
    """μ̃·h: equation 12, for text, images and sketches."""
    return np.asarray(h, np.float32) @ np.asarray(means_unit, np.float32).T


def monte_carlo(Z: Features, offsets: Offsets, h: Features, temperature: float = CLIP_TEMPERATURE) -> Scores:
    """log of the mean over samples of exp(z·h/τ): equation 10."""
    scores = np.empty((len(h), len(offsets) - 1), np.float32)
    for models, cosine, local in cosines(Z, offsets, h):
        scores[:, models] = log_mean_exp(cosine / temperature, local)
    return scores


def best_k(Z: Features, offsets: Offsets, h: Features, k: int = 10) -> Scores:
    """Mean cosine of the k nearest samples: section 6's best-k.

    A k near S is no longer "best": a model with S samples is asked for min(k, S/8) of them, one at least.
    """
    scores = np.empty((len(h), len(offsets) - 1), np.float32)
    for models, cosine, local in cosines(Z, offsets, h):
        for these, rows in by_size(local):
            scores[:, models.start + these] = mean_of_largest(cosine[:, rows], nearest(k, rows.shape[1]))
    return scores


def second_moment(Z: Features, offsets: Offsets, h: Features, temperature: float = CLIP_TEMPERATURE) -> Scores:
    """μ·h/τ + ½ hᵀΣh/τ², the two first terms of `monte_carlo`'s logarithm; in the paper's code only.

    hᵀΣh is the variance of z·h over the samples, so Σ is never formed; 0 for a single sample.
    """
    scores = np.empty((len(h), len(offsets) - 1), np.float32)
    for models, cosine, local in cosines(Z, offsets, h):
        mean = mean_of(cosine, local)
        variance = mean_of((cosine - spread(mean, local)) ** 2, local) * bessel(sizes(local))
        scores[:, models] = mean / temperature + variance / (2 * temperature**2)
    return scores


def nearest(k: int, S: int) -> int:
    """How many of S samples `best_k` takes: k, at most S/8, at least 1."""
    return max(1, min(k, S // 8))


def mean_of_largest(values: NDArray[np.floating], k: int) -> NDArray[np.floating]:
    """Mean of the k largest along the last axis."""
    if k == 1:
        return values.max(axis=-1)
    return np.partition(values, -k, axis=-1)[..., -k:].mean(axis=-1)


def log_mean_exp(values: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """log of the mean of exp(values) over each model's samples, without overflow."""
    largest = np.maximum.reduceat(values, offsets[:-1], axis=-1)
    return largest + np.log(mean_of(np.exp(values - spread(largest, offsets)), offsets))


def bessel(S: NDArray[np.integer]) -> NDArray[np.floating]:
    """S/(S−1): from the mean square to the sample variance; 1 for a single sample."""
    return S / np.maximum(S - 1, 1)
