"""Text-to-logit matching (docs/methods.md 16, ProbeLog): an output's responses against what CLIP says of the probes.

n ordered probes, the same for every classifier.  φ_logit (L, n): responses of L outputs.  φ_text (C, n): CLIP cosines
of C concepts with the probes.  z: φ less its mean, in units of its standard deviation, both over all n probes.
a (L, r): each output's r most exciting probes, best first.  Distances are (C, L). Baselines: CLIP-Dissect, arXiv
2204.10965.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

R = 50  # probes kept of an output; the paper's peak
NEIGHBOURS = 5  # k of the calibration, which the paper leaves open
BLOCK = 2**18  # numbers gathered at once: what stays in a core's cache
THREADS = 2


class Top(NamedTuple):
    """What is kept of an output's responses."""

    a: NDArray[np.uint16]  # (L, r) probe numbers
    z: Array  # (L, r) standardised responses, falling
    mean: Array  # (L,)
    deviation: Array  # (L,); 0: the output says the same of every probe


def standardised(phi: Array) -> Array:
    """z of each row; zeros for a row without variance."""
    mean, deviation = phi.mean(axis=-1, keepdims=True), phi.std(axis=-1, keepdims=True)
    return (phi - mean) / np.where(deviation > 0, deviation, np.inf)


def most_exciting(phi_logit: Array, r: int = R) -> Top:
    """The r highest probes of each output, (L, n) → (L, r); equal responses in the probes' order."""
    n = phi_logit.shape[1]
    if n > np.iinfo(np.uint16).max + 1:
        raise ValueError(f"{n} probes; a descriptor numbers at most {np.iinfo(np.uint16).max + 1}")
    phi = np.asarray(phi_logit, np.float64)
    a = np.argsort(-phi, axis=1, kind="stable")[:, :r]
    z = np.take_along_axis(standardised(phi), a, axis=1)
    return Top(a.astype(np.uint16), z.astype(np.float32), phi.mean(axis=1), phi.std(axis=1))


def truncated_distance(top: Top, z_text: Array) -> Array:
    """Equation 5: over each output's own most exciting probes. z_text (C, n) → (C, L)."""
    z_text = np.atleast_2d(np.asarray(z_text, np.float32))
    distance = np.empty((len(z_text), len(top.a)), np.float32)

    def fill(rows: slice) -> None:
        a, z = top.a[rows], np.asarray(top.z[rows], np.float32)
        for c, row in enumerate(z_text):
            gap = row.take(a, mode="clip")
            gap -= z
            distance[c, rows] = np.sqrt(np.einsum("lr,lr->l", gap, gap))

    _on_all_cores(fill, len(top.a), top.a.shape[1])
    return distance


def hubness(background_distance: Array, k: int = NEIGHBOURS) -> Array:
    """Equation 6's second term: the mean of the k smallest distances (B, L) to background concepts, (L,)."""
    k = min(k, len(background_distance))
    return np.partition(background_distance, k - 1, axis=0)[:k].mean(axis=0)


def hubness_without_itself(background_distance: Array, k: int = NEIGHBOURS) -> Array:
    """`hubness` as each background concept would see it, not being part of the background: (B, L)."""
    if len(background_distance) <= k:
        raise ValueError(f"{len(background_distance)} background concepts; more than {k} are needed")
    nearest = np.partition(background_distance, k, axis=0)[: k + 1]
    nearest.sort(axis=0)
    first, last = nearest[:k].sum(axis=0), nearest[k]
    inside = background_distance <= nearest[k - 1]
    return np.where(inside, first - background_distance + last, first) / k


def suggested_threshold(top: Top, z_text: Array, *, share: float = 0.01, present: float = 1.0) -> Array:
    """(L,) responses above which a picture probably shows the concept.

    At most `share` of the probes that CLIP does not find it in (z_text (n,) below `present`) lie higher; the lowest
    kept response where that is below all that are kept."""
    allowed = int(share * (z_text < present).sum())
    absent = z_text[top.a] < present
    over = np.cumsum(absent, axis=1) > allowed
    place = np.where(over.any(axis=1), over.argmax(axis=1), top.a.shape[1] - 1)
    z = np.asarray(top.z, np.float64)[np.arange(len(place)), place]
    return z * top.deviation + top.mean


def _on_all_cores(fill: Callable[[slice], None], rows: int, width: int) -> None:
    """Block by block; in threads where there are many, since numpy lets go of the interpreter meanwhile."""
    parts = list(_slices(rows, max(1, BLOCK // max(1, width))))
    if len(parts) < 2 * THREADS:
        for part in parts:
            fill(part)
        return
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, parts))


def _slices(rows: int, step: int) -> Iterator[slice]:
    return (slice(start, min(rows, start + step)) for start in range(0, rows, step))
