"""From which confidence on a LoRA is applied to a picture unasked: `python -m benchmarks.picking --catalog FILE`.

FILE is an index of the procedural zoo (`python benchmarks/procedural_zoo_results.py`). Its LoRA's held-out pictures ask twice: among all LoRA,
and without the one that made them. Chosen on every second LoRA, reported on the others; benchmarks/results/picking.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from benchmarks.zoo.built import FOLDER
from modelsearch_core.model_files import Kind
from modelsearch_core.scores.calibration import WEAK_BELOW
from modelsearch_core.search import Filters, ModelIndex, Query

QUERIES = FOLDER / "queries"
RESULT = Path("benchmarks/results/picking.json")
THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)


class Asked(NamedTuple):
    half: int
    is_there: bool  # the LoRA that made the picture
    confidence: float  # 0 where the best is not relevant
    is_right: bool


def asked(index: ModelIndex) -> list[Asked]:
    loras = {entry.path.stem: entry.path for entry in index.collection.entries if entry.kind is Kind.LORA}
    found: list[Asked] = []
    for number, folder in enumerate(sorted(QUERIES.iterdir())):
        own = loras.get(folder.name.rpartition("__")[2])
        for file in sorted(folder.iterdir()) if own else ():
            query = Query(images=[Image.open(file).convert("RGB")])
            for is_there in (True, False):
                among = [path for path in loras.values() if is_there or path != own]
                best = index.search(query, filters=Filters(kind=Kind.LORA.value, among=among), k=1)[0]
                sure = best.confidence if best.relevance > WEAK_BELOW else 0.0
                found.append(Asked(number % 2, is_there, sure, best.path == own))
    return found


def table(found: list[Asked]) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    for threshold in THRESHOLDS:
        row = {"threshold": threshold}
        for half, name in enumerate(("chosen on", "reported")):
            there = [each for each in found if each.half == half and each.is_there]
            absent = [each for each in found if each.half == half and not each.is_there]
            picked = [each for each in there if each.confidence >= threshold]
            row[f"{name}: picked"] = round(len(picked) / len(there), 3)
            row[f"{name}: right of these"] = round(sum(e.is_right for e in picked) / max(1, len(picked)), 3)
            row[f"{name}: picked without it"] = round(sum(e.confidence >= threshold for e in absent) / len(absent), 3)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalog", type=Path, required=True)
    with ModelIndex.open(parser.parse_args().catalog) as index:
        rows = table(asked(index))
    RESULT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(*(json.dumps(row) for row in rows), sep="\n")


if __name__ == "__main__":
    main()
