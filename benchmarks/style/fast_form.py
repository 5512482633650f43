"""The fast form of style search against the paper's, on styles in families of close neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.baselines import comparisons, overlap_at
from modelsearch_core.embedding import unit
from modelsearch_core.scores import style


def fast_form() -> list[dict[str, float]]:
    """Overlap, comparisons and time of the fast form against the paper's, on styles in families of close neighbours."""
    rows: list[dict[str, float]] = []
    for M in (100, 1_000, 10_000):
        rng = np.random.default_rng(M)
        S, d = 30, 128
        centres = rng.normal(size=(max(8, M // 60), d))[rng.integers(max(8, M // 60), size=M)] + 0.5 * rng.normal(
            size=(M, d)
        )
        scatter = 0.8 * rng.uniform(0.5, 1.5, size=(M, 1, 1))
        V = unit(
            (centres[:, None] + scatter * (0.7 * rng.normal(size=(S, d)) + rng.normal(size=(M, S, d)))).reshape(-1, d)
        )
        q = unit(centres[rng.integers(M, size=50)] + 0.8 * rng.normal(size=(50, d))).astype(np.float32)
        V, offsets = V.astype(np.float32), np.arange(M + 1) * S
        fast = style.Shortlist(V, offsets, style.moments(V, offsets))
        exact_seconds, exact = timed(lambda V=V, offsets=offsets, q=q: style.mean_style_distances(V, offsets, q))
        fast_seconds, near = timed(lambda fast=fast, q=q: fast(q))
        few = comparisons(M, S, fast.pool)
        rows.append({
            "models": M, "overlap": overlap_at(exact, near), "comparisons": few[0], "fast_comparisons": few[1],
            "ms": 1000 * exact_seconds / len(q), "fast_ms": 1000 * fast_seconds / len(q),
        })  # fmt: skip
    return rows


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
