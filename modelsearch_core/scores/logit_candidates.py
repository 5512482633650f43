"""The outputs among which the k best are, without looking at all probes of each; docs/methods.md 16. Exact.

A truncated distance d² = Σ (z_text[a] − z)² grows with each of an output's r probes that is looked at. So an output is
out as soon as it could not, if all other probes agreed with the concept, be as good as the k-th best of some that were
measured wholly. Most are after a few: the most exciting probes come first and lie farthest from a foreign concept.

ceiling (L,): what an output would score at a distance of 0; its score is ceiling − slope·Σ d over C concepts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .logits import THREADS, Top

Array = NDArray[np.floating]
Rows = NDArray[np.intp]

WIDTH = 10  # probes of a layer
SEEDS = 300  # outputs that are measured wholly after each layer, beside some for each of the k
SAMPLE = 20_000  # bounds that the seeds are cut off by
BLOCK = 2**14  # outputs at once: their numbers stay in a core's cache
SLACK = 1e-3  # of a distance, for rounding


class Layer(NamedTuple):
    """Some of each output's probes, side by side in memory."""

    a: NDArray[np.uint16]  # (L, WIDTH)
    z: NDArray[np.float32]  # (L, WIDTH)


def empty_layers(L: int, r: int) -> tuple[Layer, ...]:
    """For the r most exciting probes of L outputs; the last layer may be narrower."""
    widths = (min(WIDTH, r - start) for start in range(0, r, WIDTH))
    return tuple(Layer(np.zeros((L, width), np.uint16), np.zeros((L, width), np.float32)) for width in widths)


def fill_layers(layers: Sequence[Layer], rows: slice, top: Top) -> None:
    """What is kept of some outputs into their rows."""
    for number, layer in enumerate(layers):
        part = slice(number * WIDTH, (number + 1) * WIDTH)
        layer.a[rows], layer.z[rows] = top.a[:, part], top.z[:, part]


def within_reach(
    layers: Sequence[Layer], z_texts: Array, ceiling: Array, slope: float, total: Callable[[Rows], Array], k: int
) -> Rows:
    """Outputs, in their order, with the k best and all that equal them among them; never one with a ceiling of −inf.

    z_texts (C, n). `total` measures outputs wholly: at most ceiling − slope·Σ d, NaN where it cannot."""
    z_texts, ceiling = np.asarray(z_texts, np.float32), np.asarray(ceiling, np.float32)
    reach, slack = float(np.finfo(np.float32).min), SLACK * slope * len(z_texts)
    rows: Rows | None = None  # all
    squares = np.zeros((len(z_texts), len(ceiling)), np.float32)
    for layer in layers:
        bounds = ceiling - _look(layer, z_texts, rows, squares, slope)
        seeds = highest(bounds, SEEDS + 4 * k)
        seeds = seeds[np.isfinite(bounds[seeds])]
        reach = max(reach, _kth(total(seeds if rows is None else rows[seeds]), k))
        left = np.flatnonzero(bounds >= reach - slack)
        rows, ceiling, squares = left if rows is None else rows[left], ceiling[left], squares.take(left, axis=1)
    return np.arange(len(ceiling)) if rows is None else rows


def highest(values: Array, count: int) -> Rows:
    """About that many of the highest, in their order; cut off by a sample's, for speed."""
    if len(values) <= count:
        return np.arange(len(values))
    sample = values[:: max(1, len(values) // SAMPLE)]
    wanted = max(1, count * len(sample) // len(values))
    least = np.partition(sample, len(sample) - wanted)[len(sample) - wanted]
    return np.flatnonzero(values >= least)[: 4 * count]


def _look(layer: Layer, z_texts: Array, rows: Rows | None, squares: Array, slope: float) -> Array:
    """slope·Σ d (rows,) by what has been looked at, this layer too, whose summands are added to `squares` (C, rows)."""
    far = np.empty(squares.shape[1], np.float32)

    def fill(start: int) -> None:
        part = slice(start, start + BLOCK)
        here = part if rows is None else rows[part]
        a, z = _at(layer.a, here), _at(layer.z, here)
        gap = np.empty(z.shape, np.float32)
        for z_text, square in zip(z_texts, squares, strict=True):
            z_text.take(a, out=gap, mode="clip")
            gap -= z
            square[part] += np.einsum("lr,lr->l", gap, gap)  # not BLAS, which would start threads of its own
        far[part] = slope * np.sqrt(squares[:, part]).sum(axis=0)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(0, len(far), BLOCK)))
    return far


def _at(values: NDArray[Any], here: slice | Rows) -> NDArray[Any]:
    return values[here] if isinstance(here, slice) else values.take(here, axis=0, mode="clip")


def _kth(scores: Array, k: int) -> float:
    known = scores[~np.isnan(scores)]
    return float(np.partition(known, len(known) - k)[len(known) - k]) if len(known) >= k else -np.inf
