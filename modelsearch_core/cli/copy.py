"""`modelsearch copy` and `modelsearch export`: a catalog for others, or for another engine."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from ..catalog.copying import copy as run_copy
from ..errors import ModelSearchError
from ..exporting import export as run_export
from ..search import ModelIndex
from .tables import print_json


def copy(args: argparse.Namespace) -> int:
    """Moves a catalog between files and servers."""
    with tqdm(desc="copying", unit=" rows", disable=True if args.json else None) as bar:
        counts = run_copy(args.source, args.target, args.pictures, bar.update)
    if args.json:
        print_json({"from": str(args.source), "to": str(args.target), "rows": counts})
    else:
        told = f"{counts['file']} files, {counts['specification']} measurements, {counts['sample']} pictures"
        print(f"{args.target}: {told}")
    return 0


def export(args: argparse.Namespace) -> int:
    """Writes what another engine would search by."""
    file: Path = args.file
    if file.suffix.lower() != ".parquet":
        raise ModelSearchError(f"{file} must end in .parquet")
    with ModelIndex.open(args.catalog) as index:
        count = run_export(index, file)
    if args.json:
        print_json({"file": str(file), "models": count})
    else:
        print(f"{file}: {count} models")
    return 0 if count else 1
