"""`modelsearch evaluate`: how often pictures find their model.

With a folder: those whose sub-folder bears the model's name. Without: the index's own, held out of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelSearchError
from ..evaluation import average_rank, mean_reciprocal_rank, top_k_accuracy
from ..search import ModelIndex, Query
from .figures import print_figures
from .search import load_image
from .self_check import by_own_pictures
from .tables import print_json

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}


def evaluate(args: argparse.Namespace) -> int:
    """Prints top-1, top-5, average rank and MRR of every method."""
    return by_own_pictures(args) if args.folder is None else by_folder(args)


def by_folder(args: argparse.Namespace) -> int:
    with ModelIndex.open(args.catalog, device=args.device) as index:
        queries, targets = read_folder(index, args.folder, sketches=args.sketch)
        methods = args.method or index.methods
        measured = [measure(index, queries, targets, method) for method in methods]
    if args.json:
        print_json({"queries": len(queries), "models": len(index.collection), "methods": measured})
        return 0
    print(f"{len(queries)} pictures, {len(index.collection)} models")
    print_figures(measured)
    return 0


def read_folder(index: ModelIndex, folder: Path, *, sketches: bool = False) -> tuple[list[Query], list[int]]:
    """A query for each picture, and the row of the model that its sub-folder is named after."""
    queries: list[Query] = []
    targets: list[int] = []
    for sub in sorted(path for path in folder.glob("*") if path.is_dir()):
        row = index.row(sub.name.replace("__", "/"))
        for path in sorted(file for file in sub.iterdir() if file.suffix.lower() in PICTURES):
            image = load_image(path)
            queries.append(Query(sketches=[image]) if sketches else Query(images=[image]))
            targets.append(row)
    if not queries:
        raise ModelSearchError(f"{folder} has no pictures in sub-folders; put a model's into a folder of its name")
    return queries, targets


def measure(index: ModelIndex, queries: Sequence[Query], targets: Sequence[int], method: str) -> dict[str, float | str]:
    """The figures of one method."""
    return figures(method, np.stack([index.scores(query, method) for query in queries]), np.array(targets))


def figures(method: str, scores: NDArray[np.floating], wanted: NDArray[np.integer]) -> dict[str, float | str]:
    return {
        "method": method,
        "top1": top_k_accuracy(scores, wanted, 1),
        "top5": top_k_accuracy(scores, wanted, 5),
        "mrr": mean_reciprocal_rank(scores, wanted),
        "average_rank": average_rank(scores, wanted),
    }
