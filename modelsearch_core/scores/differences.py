"""What a LoRA changes: paired differences of outputs with and without it (CARLoS, arXiv 2512.08826; docs/methods.md 5).

δ_i = z_i(with it) − z_i(base), same prompt and noise.  Δ_q: the change that a query asks for.  n: how many δ there are.
c: consistency, mean cosine of two different δ.  r: reliability, cosine of the mean of n δ with the true direction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features, unit
from .content import CLIP_TEMPERATURE, Scores, first_moment
from .samples import Offsets, mean_of, mean_rows, sizes

# mean ‖δ‖ of unit features. Batches of another size reach 1e-5 in single precision, and about this in half; the weakest
# of 24 LoRA that were really trained has 0.26, and 0.009 where it is applied with 2 % (benchmarks/no_effect.py)
NO_EFFECT = 0.01


def differences(Z: Features, base: Features) -> NDArray[np.floating]:
    """δ (N, D) of samples and the base's outputs for the same probes, row by row."""
    if Z.shape != base.shape:
        raise ValueError(f"{Z.shape} samples but {base.shape} base outputs; the rows must be the same probes")
    return np.asarray(Z, np.float32) - np.asarray(base, np.float32)


def probe_means(Z: Features, numbers: NDArray[np.integer], P: int) -> NDArray[np.floating]:
    """The collection's mean output for each of P probes (P, D), where no base is there to subtract; unasked ones are 0.

    `numbers` (N,) are the probes of the rows.
    """
    order = np.argsort(numbers, kind="stable")
    asked, counts = np.unique(numbers, return_counts=True)
    means = np.zeros((P, Z.shape[1]), np.float32)
    means[asked] = mean_rows(Z[order], np.concatenate([[0], np.cumsum(counts)]))
    return means


def direction(delta: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """mean δ of every model, (M, D)."""
    return mean_rows(delta, offsets)


def strength(delta: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """mean ‖δ‖ of every model, (M,); 0 for one that changes nothing."""
    return mean_of(np.linalg.norm(delta, axis=1), offsets)


def consistency(delta: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """mean over i ≠ j of cos(δ_i, δ_j), (M,), as (‖Σu‖² − Σ‖u‖²)/(S(S−1)) of u = δ/‖δ‖: O(S·D).

    A δ of zero agrees with nothing. One sample says nothing about agreement: 0.
    """
    S, u = sizes(offsets), unit(np.asarray(delta, np.float32))
    own = mean_of((u * u).sum(axis=1), offsets) * S
    return ((S[:, None] * mean_rows(u, offsets)) ** 2).sum(axis=1) / pairs(S) - own / pairs(S)


def pairs(S: NDArray[np.integer]) -> NDArray[np.integer]:
    """Ordered pairs of different samples, S(S−1); 1 for a single sample."""
    return np.maximum(S * (S - 1), 1)


def reliability(c: NDArray[np.floating] | float, n: NDArray[np.integer] | int) -> NDArray[np.floating]:
    """r = sqrt(n c / (1 + (n−1) c)), Spearman–Brown's; 0 for c ≤ 0."""
    c = np.clip(c, 0, 1)
    return np.sqrt(n * c / (1 + (n - 1) * c))


def samples_needed(c: NDArray[np.floating] | float, r: float = 0.9) -> NDArray[np.floating]:
    """n = r²(1−c) / (c(1−r²)) rounded up, at least 1; infinite for c ≤ 0. ValueError unless 0 < r < 1."""
    if not 0 < r < 1:
        raise ValueError(f"reliability {r} is out of reach; ask for one between 0 and 1")
    c = np.clip(c, 0, 1)
    with np.errstate(divide="ignore"):
        return np.maximum(np.ceil(r**2 * (1 - c) / (c * (1 - r**2))), 1)


def text_difference(templates: Features, templates_with_query: Features) -> NDArray[np.floating]:
    """Δ_q = mean over templates c of t(c + ", " + q) − t(c); (C, D) and (..., C, D) → (..., D)."""
    return (templates_with_query - templates).mean(axis=-2)


def image_difference(
    h: Features, base: Features, cosine: NDArray[np.floating], temperature: float = CLIP_TEMPERATURE
) -> NDArray[np.floating]:
    """Δ_q = h − Σ w_i z_i(base), w = softmax of cosines (T, P) of query and probe prompts; base (P, D) → (T, D)."""
    logits = cosine / temperature
    w = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return h - w / w.sum(axis=-1, keepdims=True) @ base


def difference_score(directions: NDArray[np.floating], delta_q: NDArray[np.floating]) -> Scores:
    """cos(direction, Δ_q), (T, M); 0 for a LoRA that changes nothing."""
    return first_moment(unit(directions), unit(delta_q))
