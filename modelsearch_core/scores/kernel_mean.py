"""Finding a generative model by one image: weighted reduced kernel mean embedding ("You Only Submit One Image to Find
the Most Suitable Generative Model", equations 2, 3 and 9; docs/methods.md 4).

k(a, b) = exp(−γ‖a−b‖²); the paper's γ = .02 on features of norm 10 is γ = 2 on unit features.
w: what a sample counts for, by its prompt.  K_m (S, S): k between model m's samples.  z*, β: a reduced set of one.

The baselines are `rkme_distance` on other features: unit image features (RKME-CLIP), `side_by_side` (RKME-Concat),
`pixels` (RKME-Basic); with β = 1 it is equation 2 to the letter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from .content import Scores
from .gaussian import squared_distance
from .samples import Offsets, blocks, by_size, mean_of, one_thread, spread

Weights = NDArray[np.floating]  # (N,) for all queries, or (T, N)
Kernels = list[NDArray[np.floating]]  # K_m (g, S, S) of the models of equal S, in `by_size`'s order

GAMMA = 2.0
STEPS = 100
SHARPNESS = 1.4  # of `sharpened_weights`, best of those tried in docs/results.md


def kernel(a: Features, b: Features, gamma: float = GAMMA) -> NDArray[np.floating]:
    """exp(−γ‖a−b‖²) of every row with every row."""
    return np.exp(-gamma * squared_distance(np.asarray(a, np.float32), np.asarray(b, np.float32)))


def prompt_weights(Q: Features, q: Features) -> Weights:
    """w = cos(q_i, q̂): equation 9. Q (P, D), q (D,) or (T, D) → (P,) or (T, P).

    With the query image's feature for q̂ no interrogator is needed; its cosines with prompts are lower, so what a
    model's samples have in common counts for less.
    """
    return unit(np.asarray(q, np.float32)) @ unit(np.asarray(Q, np.float32)).T


def softmax_weights(cosine: NDArray[np.floating], offsets: Offsets, temperature: float) -> Weights:
    """S·softmax(cos/τ) over each model's samples (..., N): prompts like the query's count for more, 1 on average."""
    logits = cosine / temperature
    weights = np.exp(logits - spread(np.maximum.reduceat(logits, offsets[:-1], axis=-1), offsets))
    return weights / spread(mean_of(weights, offsets), offsets)


def sharpened_weights(cosine: NDArray[np.floating], offsets: Offsets, sharpness: float = SHARPNESS) -> Weights:
    """S·softmax of the cosines (T, N) of prompts in units of their spread, which differs from encoder to encoder."""
    spreads = np.maximum(cosine.std(axis=-1, keepdims=True), 1e-6)
    return softmax_weights(sharpness * cosine / spreads, offsets, 1.0)


def kernels(Z: Features, offsets: Offsets, gamma: float = GAMMA) -> Kernels:
    """K_m of all models, N·S numbers: no query changes them, so once per catalog is enough."""
    with one_thread():
        return [np.stack([kernel(Z[rows], Z[rows], gamma) for rows in group]) for _, group in by_size(offsets)]


def self_similarity(kernels: Kernels, offsets: Offsets, w: Weights) -> NDArray[np.floating]:
    """wᵀK_m w / S², (M,) or (T, M)."""
    similarity = np.empty((*w.shape[:-1], len(offsets) - 1), np.float32)
    for K, (models, rows) in zip(kernels, by_size(offsets), strict=True):
        for K_m, m, samples in zip(K, models, rows, strict=True):
            w_m = w[..., samples]
            similarity[..., m] = (w_m @ K_m * w_m).sum(axis=-1) / len(samples) ** 2
    return similarity


def cross_similarity(Z: Features, offsets: Offsets, w: Weights, h: Features, gamma: float = GAMMA) -> Scores:
    """(1/S) Σ w_i k(z_i, h_t), (T, M)."""
    similarity = np.empty((len(h), len(offsets) - 1), np.float32)
    for a, b in blocks(offsets, max(h.shape[1], len(h))):
        samples = slice(offsets[a], offsets[b])
        weighted = w[..., samples] * kernel(h, Z[samples], gamma)
        similarity[:, a:b] = mean_of(weighted, offsets[a : b + 1] - offsets[a])
    return similarity


def kernel_mean_distances(
    Z: Features,
    offsets: Offsets,
    w: Weights,
    h: Features,
    gamma: float = GAMMA,
    similarity: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """‖(1/S) Σ w_i k(z_i,·) − k(h_t,·)‖²: equation 9, T queries of one image each, (T, M).

    `similarity` is `self_similarity` where it is already known.
    """
    if similarity is None:
        similarity = self_similarity(kernels(Z, offsets, gamma), offsets, w)
    return similarity - 2 * cross_similarity(Z, offsets, w, h, gamma) + 1


def reduce_to_one(
    X: Features, offsets: Offsets, gamma: float = GAMMA, w: Weights | None = None
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The z* (M, D) and β (M,) whose β k(z*,·) is nearest to (1/S) Σ w_i k(x_i,·), of features X (N, D); w (N,).

    For any z the best β is (1/S) Σ w_i k(x_i, z), so z* is where that is largest: found by the fixed point
    z ← Σ r_i x_i, r_i ∝ w_i k(x_i, z) (Schölkopf et al. 1999), from the mean. A prompt against which w is negative
    has no say in z*.
    """
    points = np.empty((len(offsets) - 1, X.shape[1]), np.float32)
    betas = np.empty(len(points), np.float32)
    for models, rows in by_size(offsets):
        for m, samples in zip(models, rows, strict=True):
            weights = np.ones(len(samples), np.float32) if w is None else w[samples]
            points[m], betas[m] = fixed_point(np.asarray(X[samples], np.float32), weights, gamma)
    return points, betas


def fixed_point(x: Features, w: Weights, gamma: float) -> tuple[NDArray[np.floating], float]:
    """z* and β of one model. Works on the S×S products, so that a step costs S² whatever D is."""
    G, positive = x @ x.T, np.maximum(w, 0)
    r = shares(np.zeros(len(x)), positive)
    for _ in range(STEPS):
        before, r = r, shares(-gamma * (np.diag(G) - 2 * G @ r), positive)
        if np.abs(r - before).max() < 1e-6:
            break
    squared = np.maximum(np.diag(G) - 2 * G @ r + r @ G @ r, 0)
    return r @ x, float((w * np.exp(-gamma * squared)).mean())


def shares(logits: NDArray[np.floating], w: Weights) -> NDArray[np.floating]:
    """w·exp(logits), summing to 1; equal shares where w has nothing to say."""
    raw = w * np.exp(logits - logits.max(initial=-np.inf, where=w > 0)) if w.any() else np.ones(len(w))
    return raw / raw.sum()


def rkme_distance(
    points: NDArray[np.floating], betas: NDArray[np.floating], h: Features, gamma: float = GAMMA
) -> NDArray[np.floating]:
    """‖β k(z*,·) − k(h_t,·)‖² = β² − 2β k(z*, h_t) + 1, (T, M)."""
    return betas**2 - 2 * betas * kernel(h, points, gamma) + 1


def side_by_side(Z: Features, Q: Features) -> NDArray[np.floating]:
    """[z_i; q_i]: RKME-Concat's features, of samples and prompts as of image and its prompt."""
    return np.concatenate([Z, Q], axis=-1)
