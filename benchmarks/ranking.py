"""What each method costs: `python benchmarks/ranking.py [--models 1000 10000] [--samples 32] [--signatures FILE]`.

Times every scoring function on random unit features, one query at a time and per query of a batch of 64, relative to
first_moment in the same run. With --signatures, a parquet file of LoRA directions, strengths and consistencies such as
CARLoS publishes (needs pyarrow), it also says how often a held-out sample of each LoRA finds it: what the samples do
together is as published, what each does of its own is simulated. Prints tables, writes benchmarks/results/ranking.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modelsearch_core.embedding import unit
from modelsearch_core.evaluation import top_k_accuracy
from modelsearch_core.ranking import from_distance, rank
from modelsearch_core.scores import content, differences, gaussian, kernel_mean

RESULTS = ROOT / "benchmarks" / "results" / "ranking.json"
D, BATCH, SEED = 512, 64, 0
CLIP_NORM = 10  # of CLIP's features, in which the signatures' strengths are

Array = NDArray[np.floating]
Method = Callable[[Array], Array]  # queries (T, D) → scores (T, M)


def random_rows(rng: np.random.Generator, n: int, D: int = D) -> Array:
    return unit(rng.standard_normal((n, D), dtype=np.float32))


def seconds(call: Callable[[], Any], least: float = 0.3) -> float:
    """Best of as many calls as fit in `least` seconds, two at least, after one to warm up."""
    call()
    times: list[float] = []
    while len(times) < 2 or sum(times) < least:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def prepared(prepare: Callable[[], Method]) -> tuple[Method, float]:
    started = time.perf_counter()
    method = prepare()
    return method, time.perf_counter() - started


def methods(Z: Array, offsets: NDArray[np.integer], w: Array) -> dict[str, Callable[[], Method]]:
    """Each method's preparation, which gives the function of the queries."""

    def first_moment() -> Method:
        mu = unit(content.means(Z, offsets))
        return lambda h: content.first_moment(mu, h)

    def density() -> Method:
        gaussians = gaussian.fit(Z, offsets)
        assert len(gaussians.mean_on_axes) == len(gaussians.log_normaliser)  # worked out once, then kept
        return lambda h: gaussian.log_density(gaussians, h)

    def weighted() -> Method:
        similarity = kernel_mean.self_similarity(kernel_mean.kernels(Z, offsets), offsets, w)
        return lambda h: from_distance(kernel_mean.kernel_mean_distances(Z, offsets, w, h, similarity=similarity))

    def reduced() -> Method:
        points, betas = kernel_mean.reduce_to_one(Z, offsets)
        return lambda h: from_distance(kernel_mean.rkme_distance(points, betas, h))

    return {
        "first_moment": first_moment,
        "monte_carlo": lambda: lambda h: content.monte_carlo(Z, offsets, h),
        "best_k, k=1": lambda: lambda h: content.best_k(Z, offsets, h, k=1),
        "best_k, k=10": lambda: lambda h: content.best_k(Z, offsets, h),
        "second_moment": lambda: lambda h: content.second_moment(Z, offsets, h),
        "gaussian, rank 16": density,
        "kernel_mean": weighted,
        "rkme_clip": reduced,
    }


def timings(M: int, S: int) -> list[dict[str, float | str]]:
    """Of M models with S samples each."""
    rng = np.random.default_rng(SEED)
    Z, offsets, h = random_rows(rng, M * S), np.arange(M + 1) * S, random_rows(rng, BATCH)
    found: list[dict[str, float | str]] = []
    for name, prepare in methods(Z, offsets, rng.random(M * S, dtype=np.float32)).items():
        method, once = prepared(prepare)
        alone, batch = seconds(lambda method=method: rank(method(h[:1])[0])), seconds(lambda method=method: method(h))
        row = {"method": name, "once_s": once, "query_ms": 1e3 * alone, "of_batch_ms": 1e3 * batch / BATCH}
        found.append({**row, "times_first_moment": 1e3 * alone / float((found or [row])[0]["query_ms"])})
    return found


def read_signatures(path: Path) -> tuple[Array, Array, Array]:
    """Unit directions (M, D), strengths (M,) and consistencies (M,), without those that are broken or twice there."""
    try:
        from pyarrow import parquet
    except ImportError:
        sys.exit("--signatures reads parquet, which needs pyarrow: pip install pyarrow")
    table = parquet.read_table(path)
    direction, strength, c = (np.array(table[n].to_pylist()) for n in ("direction", "strength", "consistency"))
    first = np.unique(direction.round(6), axis=0, return_index=True)[1]
    kept = np.sort(first[np.isfinite(direction[first]).all(axis=1) & (c[first] > 0)])
    return unit(direction[kept]), strength[kept], c[kept]


def simulated(signatures: tuple[Array, Array, Array], S: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Outputs and their base's (M, S + n, D), each LoRA's own part being as strong and consistent as published."""
    direction, strength, c = (np.asarray(part)[:, None] for part in signatures)
    base = unit(random_rows(rng, 1, D) + random_rows(rng, S + n, D))
    own = unit(rng.standard_normal((len(c), S + n, direction.shape[-1])))
    delta = np.sqrt(c)[..., None] * direction + np.sqrt(1 - c)[..., None] * own
    return unit(CLIP_NORM * base + strength[..., None] * delta), np.broadcast_to(base, delta.shape)


def accuracies(signatures: tuple[Array, Array, Array], S: int, n: int = 2) -> dict[str, float | str]:
    """Top-1 of n held-out samples of each LoRA, the last of which are asked by probes that the models have not seen."""
    Z, base = simulated(signatures, S, n, np.random.default_rng(SEED))
    M = len(Z)
    samples, h, offsets = Z[:, :S].reshape(M * S, D), Z[:, S:].reshape(M * n, D), np.arange(M + 1) * S
    scores = {name: prepare()(h) for name, prepare in methods(samples, offsets, np.ones(M * S)).items()}
    direction = differences.direction(samples - base[:, :S].reshape(M * S, D), offsets)
    scores["difference from the base"] = differences.difference_score(direction, h - base[:, S:].reshape(M * n, D))
    return {name: top_k_accuracy(score, np.repeat(np.arange(M), n)) for name, score in scores.items()}


def geometry(path: Path, sizes: list[int]) -> dict[str, Any]:
    signatures = read_signatures(path)
    quartiles = np.quantile(signatures[2], [0.25, 0.5])
    needed = {f"reliability of {n}": float(differences.reliability(quartiles[1], n)) for n in (16, 64, 280)}
    top_1 = {f"S={S}": accuracies(signatures, S) for S in sizes}
    return {"models": len(signatures[2]), "consistency p25, median": quartiles.tolist(), **needed, "top-1": top_1}


def print_timings(title: str, rows: list[dict[str, float | str]]) -> None:
    print(f"\n{title}\n{'':20}{'once, s':>10}{'query, ms':>12}{'of 64, ms':>12}{'× first':>10}")
    for row in rows:
        once, alone, batch, times = (
            float(row[key]) for key in ("once_s", "query_ms", "of_batch_ms", "times_first_moment")
        )
        print(f"{row['method']:20}{once:10.2f}{alone:12.2f}{batch:12.2f}{times:10.1f}")


def machine() -> dict[str, Any]:
    """What the times were taken on, with how busy it was."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    one_thread = find_spec("threadpoolctl") is not None  # for small matrices, see `scores.samples.one_thread`
    kind = {"cores": os.cpu_count(), "machine": platform.machine(), "numpy": np.__version__}
    return {**kind, "load": load, "threadpoolctl": one_thread}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--signatures", type=Path)
    args = parser.parse_args()
    result: dict[str, Any] = {"seed": SEED, "samples": args.samples, "dimension": D, **machine(), "models": {}}
    for M in args.models:
        result["models"][str(M)] = timings(M, args.samples)
        print_timings(f"{M} models × {args.samples} samples", result["models"][str(M)])
    if args.signatures:
        result["signatures"] = geometry(args.signatures, [16, 32, 64])
        print(f"\n{json.dumps(result['signatures'], indent=1)}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
