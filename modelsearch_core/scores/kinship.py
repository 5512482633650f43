"""What LoRA that change alike are to each other, by the Gram matrix G of sketches of ΔW (docs/methods.md 9).

G_ab estimates ⟨ΔW_a, ΔW_b⟩. Sketches are linear, so a merge α ΔW_a + β ΔW_b has the sketch α s_a + β s_b, and least
squares on sketches find α and β. Later epochs of a training have gone further in much the same direction.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Gram = NDArray[np.floating]

SAME = 0.995  # cosine from which on two updates are one
AS_STRONG = 0.02  # how far its lengths may be apart
EXPLAINED = 0.8  # share of a merge that its two parts explain together, at least
ADDED = 0.02  # share that each of them explains besides the other, at least; and no less than both leave
AMONG = 16  # nearest LoRA of which two may be a merge's parts


class Kinship(str, Enum):
    """Of two LoRA that change alike."""

    COPY = "copy"  # the same update, written another way
    SCALED = "scaled"  # the same update, more or less of it
    TRAINING = "training"  # epochs, or trainings of much the same


class Parts(NamedTuple):
    """ΔW ≈ alpha·ΔW_a + beta·ΔW_b, of which they explain a share of its squared length."""

    a: int
    b: int
    alpha: float
    beta: float
    explained: float


def kinship(cosine: float, ratio: float) -> Kinship:
    """By the cosine of two updates and the ratio of their lengths."""
    if cosine < SAME:
        return Kinship.TRAINING
    return Kinship.COPY if abs(ratio - 1) <= AS_STRONG else Kinship.SCALED


def parts_of(G: Gram, c: int, unlike: float) -> Parts | None:
    """The two others of which c is best explained as a merge; None where it is none. Parts whose cosine is `unlike` or
    more are epochs of one training, between which every other epoch lies."""
    others = np.flatnonzero((G[c] > 0) & (np.diag(G) > 0) & (np.arange(len(G)) != c))
    if G[c, c] <= 0 or len(others) < 2:
        return None
    squares = np.diag(G)
    alike = G[c, others] / np.sqrt(squares[others])
    others = others[np.argsort(-alike, kind="stable")[:AMONG]]
    a, b = (others[of] for of in np.triu_indices(len(others), 1))
    determinant = squares[a] * squares[b] - G[a, b] ** 2
    apart = G[a, b] < unlike * np.sqrt(squares[a] * squares[b])
    safe = np.where(determinant > 0, determinant, 1)
    alpha = (G[c, a] * squares[b] - G[c, b] * G[a, b]) / safe
    beta = (G[c, b] * squares[a] - G[c, a] * G[a, b]) / safe
    explained = (alpha * G[c, a] + beta * G[c, b]) / G[c, c]
    alone = G[c, a] ** 2 / squares[a] / G[c, c]  # a is the more alike of the two
    fits = (determinant > 0) & apart & (alpha > 0) & (beta > 0)
    fits &= (explained >= EXPLAINED) & (explained - alone >= np.maximum(ADDED, 1 - explained))
    if not fits.any():
        return None
    best = int(np.argmax(np.where(fits, explained, -1)))
    return Parts(int(a[best]), int(b[best]), float(alpha[best]), float(beta[best]), float(explained[best]))
