"""What the papers compare themselves with, and measures that only benchmarks take; no search runs any of it.

CLIP-Dissect (Oikarinen & Weng, arXiv 2204.10965), CSLS (Lample et al. 2018), RKME-Basic's pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelsearch_core.scores.calibration import hub_bias, mean_of_top
from modelsearch_core.scores.logits import standardised

Array = NDArray[np.floating]


def csls(scores: Array, bank_scores: Array, k: int = 10) -> Array:
    """2s − r_T(query) − r_M(model), r the mean of the k nearest, on cosines (T, M); bank (B, M)."""
    return 2 * scores - mean_of_top(scores, k, axis=1)[:, None] - hub_bias(bank_scores, k)


def pixels(images: NDArray[np.uint8]) -> NDArray[np.floating]:
    """RKME-Basic's features: the raw pixels of n images of one size, from 0 to 1, (n, H·W·3)."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def all_probes_distance(phi_logit: Array, phi_text: Array) -> Array:
    """Equation 4 on standardised rows, over all probes: ProbeLog's baseline. (L, n), (C, n) → (C, L)."""
    z_logit, z_text = standardised(np.asarray(phi_logit, np.float64)), standardised(np.asarray(phi_text, np.float64))
    squares = (z_text**2).sum(axis=1)[:, None] + (z_logit**2).sum(axis=1) - 2 * z_text @ z_logit.T
    return np.sqrt(np.maximum(squares, 0))


def concept_probabilities(phi_text: Array, sharpness: float) -> Array:
    """p(c|x) (C, n): softmax over the concepts of the cosines times `sharpness`, as CLIP-Dissect has it."""
    exponents = sharpness * np.asarray(phi_text, np.float64)
    exponents -= exponents.max(axis=0)
    raised = np.exp(exponents)
    return raised / raised.sum(axis=0)


def wpmi(a: NDArray[np.integer], phi_text: Array, *, k: int = 28, sharpness: float = 2.0, weight: float = 0.6) -> Array:
    """Weighted pointwise mutual information of concepts and outputs, a score (C, L).

    log p(c|x_a) summed over an output's k highest probes, less λ log p(c), the mean of the same over all outputs. The
    last is one number a concept and does not change which output fits it best."""
    joint = _log_sums(np.log(concept_probabilities(phi_text, sharpness) + 1e-7), a[:, :k])
    return joint - weight * _log_mean(joint)


def soft_wpmi(a: NDArray[np.integer], phi_text: Array, *, k: int = 100, sharpness: float = 10.0) -> Array:
    """The same where a probe belongs to an output's own with a probability that falls from .998 to .97."""
    a = a[:, :k]
    member = 0.998 - np.arange(a.shape[1]) / a.shape[1] * (0.998 - 0.97)
    p = concept_probabilities(phi_text, sharpness)
    joint = np.stack([np.log(1 + member * (row[a] - 1) + 1e-7).sum(axis=1) for row in p])
    return joint - _log_mean(joint)


def _log_sums(logs: Array, a: NDArray[np.integer]) -> Array:
    return np.stack([row[a].sum(axis=1) for row in logs])


def _log_mean(joint: Array) -> Array:
    highest = joint.max(axis=1, keepdims=True)
    return highest + np.log(np.exp(joint - highest).mean(axis=1, keepdims=True))


def overlap_at(first: Array, second: Array, k: int = 10) -> float:
    """Mean share of the k nearest models of one that are among the k nearest of the other; distances (T, M)."""
    k = min(k, first.shape[1])
    tops = [np.argsort(distances, axis=1, kind="stable")[:, :k] for distances in (first, second)]
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*tops, strict=True)]))


def comparisons(M: int, S: int, pool: int) -> tuple[int, int]:
    """How many style vectors a query meets: with the paper's form, and with `scores.style.Shortlist`."""
    return M * S, M + min(pool, M) * S
