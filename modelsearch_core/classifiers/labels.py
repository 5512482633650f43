"""What a file itself calls its outputs, believed as far as its responses bear it out.

Agreement of a file: how much likelier an output is nearer to its own label than to another of the file's labels, chance
taken off: 2·AUC − 1, so 1 where every label is borne out, 0 where labels were shuffled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..scores.logits import Top, truncated_distance

SAMPLED = 200  # labels of a file that agreement is measured on
FEWEST = 5  # labels below which they are compared with background concepts as well
UNTRIED = 0.5  # agreement of a file that was never asked

Array = NDArray[np.floating]


def agreement(top: Top, z_labels: Array, z_background: Array) -> float:
    """From −1 to 1. top: outputs that have labels (L, r); z_labels (L, n) in their order; z_background (B, n)."""
    L = len(z_labels)
    if not L:
        return 0.0
    chosen = np.sort(np.random.default_rng(0).permutation(L)[:SAMPLED])
    part = Top(top.a[chosen], top.z[chosen], top.mean[chosen], top.deviation[chosen])
    others = z_labels[chosen] if L >= FEWEST else np.concatenate([z_labels[chosen], z_background])
    distance = truncated_distance(part, others)  # (L', L')
    distance -= distance.mean(axis=1, keepdims=True)  # a label near to all outputs proves nothing
    own = distance[np.arange(len(chosen)), np.arange(len(chosen))]
    below = (own[None, :] < distance).sum(axis=0) + 0.5 * ((own[None, :] == distance).sum(axis=0) - 1)
    alive = part.deviation > 0
    auc = below[alive] / max(1, len(others) - 1)
    return float(2 * auc.mean() - 1) if len(auc) else 0.0
