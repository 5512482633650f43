"""Which methods `auto` adds up: `python benchmarks/fusion.py [--catalog FILE]`, after benchmarks/procedural_zoo_results.py.

Every method and every two methods in equal parts, for image, sketch and text queries on the procedural zoo, best MRR
first. Half of the models, drawn again and again, show how far an order can be trusted: `wins` is in how many of the
halves a row is at least as good as what `auto` uses. Writes benchmarks/results/fusion.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.procedural_zoo_results import CATALOG, methods_for, queries
from modelsearch_core.evaluation import mean_reciprocal_rank, top_k_accuracy
from modelsearch_core.ranking import combine
from modelsearch_core.search import ModelIndex

RESULT = ROOT / "benchmarks" / "results" / "fusion.json"
HALVES, SEED = 200, 0

Scores = NDArray[np.floating]  # (T, M)


def scores_of(index: ModelIndex, kind: str) -> tuple[dict[str, Scores], NDArray[np.integer]]:
    asked, targets = queries(kind, index)
    methods = methods_for(kind)
    return {name: np.stack([index.scores(query, name) for query in asked]) for name in methods}, np.array(targets)


def rows(scores: dict[str, Scores], targets: NDArray[np.integer]) -> list[dict[str, Any]]:
    candidates = dict(scores)
    single = [name for name in scores if name != "auto"]
    for a, b in itertools.combinations(single, 2):
        candidates[f"{a} + {b}"] = combine([(scores[a], 1.0), (scores[b], 1.0)])
    halves = _halves(np.unique(targets))
    auto = _mrr_of_halves(scores["auto"], targets, halves)
    found = [
        {
            "methods": name,
            "top1": top_k_accuracy(z, targets, 1),
            "top5": top_k_accuracy(z, targets, 5),
            "mrr": mean_reciprocal_rank(z, targets),
            "wins": float((_mrr_of_halves(z, targets, halves) >= auto).mean()),
        }
        for name, z in candidates.items()
    ]
    return sorted(found, key=lambda row: -row["mrr"])


def _halves(models: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    rng = np.random.default_rng(SEED)
    return [rng.permutation(models)[: len(models) // 2] for _ in range(HALVES)]


def _mrr_of_halves(z: Scores, targets: NDArray[np.integer], halves: list[NDArray[np.integer]]) -> NDArray[np.floating]:
    of = [np.isin(targets, half) for half in halves]
    return np.array([mean_reciprocal_rank(z[some], targets[some]) for some in of])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, default=CATALOG)
    args = parser.parse_args()
    with ModelIndex.open(args.catalog, device="cpu") as index:
        tables = {kind: rows(*scores_of(index, kind)) for kind in ("image", "sketch", "text")}
    RESULT.write_text(json.dumps({"halves": HALVES, "seed": SEED, "tables": tables}, indent=1) + "\n")
    for kind, table in tables.items():
        print(f"\n{kind}")
        for row in [*table[:12], *(row for row in table[12:] if "+" not in row["methods"])]:
            print("{methods:45} top-1 {top1:.3f}  top-5 {top5:.3f}  MRR {mrr:.3f}  wins {wins:.2f}".format(**row))


if __name__ == "__main__":
    main()
