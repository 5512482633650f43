"""The outputs that may be nearest to a concept, where there are too many to look at all probes of each.

docs/methods.md 16.

A truncated distance is d² = Σ (z_text[a] − z)² over an output's r most exciting probes. Its first p summands are taken
as they are; in the others z_text is taken to be `SHRUNK` of its mean over the first p: whoever has much of the concept
on its most exciting probes has some on the next ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .logits import THREADS, Top

Array = NDArray[np.floating]

P = 8  # probes looked at of each output
SHARE = 0.15  # of the outputs that are looked at wholly; benchmarks/classifiers/speed.py says what is lost
SHRUNK = 0.8
SAMPLE = 20_000  # outputs by which the share is cut off
BLOCK = 2**15  # outputs at once: some arrays of that length stay in a core's cache


class Prefix(NamedTuple):
    """What is looked at of each output, probe by probe."""

    a: NDArray[np.intp]  # (p, L)
    z: Array  # (p, L)
    sum_of_rest: Array  # (L,) Σ z over the r − p probes that are not looked at
    squares_of_rest: Array  # (L,) Σ z² over these
    rest: int  # r − p


def prefix_of(top: Top, p: int = P) -> Prefix:
    p = min(p, top.a.shape[1])
    rest = np.asarray(top.z[:, p:], np.float32)
    return Prefix(
        a=np.ascontiguousarray(top.a[:, :p].T, np.intp),
        z=np.ascontiguousarray(top.z[:, :p].T, np.float32),
        sum_of_rest=rest.sum(axis=1),
        squares_of_rest=np.einsum("lr,lr->l", rest, rest),
        rest=rest.shape[1],
    )


def estimated_distance(prefix: Prefix, z_text: Array) -> Array:
    """(L,) from z_text (n,); exact where p is r."""
    z_text = np.asarray(z_text, np.float32)
    p, L = prefix.a.shape
    distance = np.empty(L, np.float32)

    def fill(start: int) -> None:
        rows = slice(start, min(L, start + BLOCK))
        seen, found = np.empty(rows.stop - start, np.float32), np.empty(rows.stop - start, np.float32)
        total, squares = np.zeros_like(found), np.zeros_like(found)
        for a, z in zip(prefix.a[:, rows], prefix.z[:, rows], strict=True):
            z_text.take(a, out=found, mode="clip")
            total += found
            np.subtract(found, z, out=seen)
            seen *= seen
            squares += seen
        likely = total * np.float32(SHRUNK / p)
        squares += prefix.squares_of_rest[rows]
        squares += likely * (prefix.rest * likely - 2 * prefix.sum_of_rest[rows])
        np.sqrt(np.maximum(squares, 0, out=squares), out=distance[rows])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(0, L, BLOCK)))
    return distance


def candidates(nearness: Sequence[Array], share: float = SHARE) -> NDArray[np.intp]:
    """About that share of the outputs by each of the (L,) estimates, in their order; −inf is never one."""
    chosen = np.zeros(len(nearness[0]), bool)
    for estimate in nearness:
        sample = estimate[:: max(1, len(estimate) // SAMPLE)]
        known = sample[np.isfinite(sample)]
        least = np.quantile(known, 1 - share) if len(known) else np.inf
        chosen |= estimate >= least
    return np.flatnonzero(chosen)
