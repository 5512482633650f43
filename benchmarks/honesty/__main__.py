"""Measures on the procedural zoo how far answers can be trusted: `python -m benchmarks.honesty`.

Indexes the zoo (64 pictures a model; goes on where it was interrupted) and copies of the index with 200 more models of
which nothing was generated. Writes benchmarks/results/trust.json and docs/results_trust.md. `--before` writes
trust_before.json instead: what the page compares with.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.zoo import built
from modelsearch_core.drawing import WITHOUT_WEIGHTS, Draw, best_drawer
from modelsearch_core.encoders import open_drawer
from modelsearch_core.search import ModelIndex

from . import measuring
from .page import BEFORE, NOW, PAGE, ROOT, page
from .redrawn import by_all, by_the_others, redrawn
from .unmeasured import COUNT, beside, names_of_things, names_of_this_world, write_named, write_shown

WORK = ROOT / "build" / "honesty"


def with_unmeasured(catalog: Path, work: Path) -> dict[str, Path]:
    """Copies of the index that know 200 more models by name, by names of the zoo's own words, and by previews."""
    folders = {
        "200 names beside": write_named(work / "names", names_of_things()),
        "200 names of the zoo's words beside": write_named(work / "own_names", names_of_this_world()),
        "200 with previews beside": write_shown(work / "previews"),
    }
    return {name: beside(catalog, folder, work / f"{folder.name}.sqlite") for name, folder in folders.items()}


def with_weights(hed: Path | None) -> dict[str, Draw]:
    """Drawers whose weights are at hand."""
    if hed is None:
        return {}
    return {"hed": open_drawer("hed", folders=[hed], device="cpu", may_download=False)}


def measured(catalog: Path, work: Path, only: list[str], besides: Mapping[str, Draw]) -> dict[str, Any]:
    with ExitStack() as open_ones:

        def opened(copies: Mapping[str, Path]) -> dict[str, ModelIndex]:
            return {n: open_ones.enter_context(ModelIndex.open(copy, device="cpu")) for n, copy in copies.items()}

        index = opened({"index": catalog})["index"]

        def mixed() -> Any:
            return measuring.mixed_evidence(index, opened(with_unmeasured(catalog, work)))

        def drawn() -> Any:
            copies = {name: work / f"drawn_by_{name}.sqlite" for name in WITHOUT_WEIGHTS if name != best_drawer().name}
            made = {name: redrawn(catalog, WITHOUT_WEIGHTS[name], copy) for name, copy in copies.items()}
            return measuring.drawers(index, opened(made), besides)

        def in_turn() -> Any:
            of_all = opened({"all": by_all(catalog, work)})["all"]
            return measuring.drawers_in_turn(opened(by_the_others(catalog, work)), of_all)

        tables: dict[str, Callable[[], Any]] = {
            "evidence": mixed,
            "kinds": lambda: measuring.mixed_kinds(index),
            "several": lambda: measuring.several(index),
            "unrelated": lambda: measuring.unrelated(index),
            "picked": lambda: measuring.picked(index),
            "right or wrong": lambda: measuring.right_or_wrong(index),
            "unwanted": lambda: measuring.unwanted(index),
            "nonsense": lambda: measuring.nonsense(index),
            "usual": lambda: measuring.usual_taken_off(catalog),
            "drawers": drawn,
            "drawers in turn": in_turn,
            "things and looks": lambda: measuring.things_with_looks(index),
            "varied": lambda: measuring.varied(index),
            "cleansing": measuring.cleansing,
        }
        found: dict[str, Any] = {}
        for name, table in tables.items():
            if not only or name in only:
                found[name] = table()
                print(name, json.dumps(found[name], indent=1), flush=True)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--work", type=Path, default=WORK, help="where the indexes are kept")
    parser.add_argument("--catalog", type=Path, help="an index of the procedural zoo that is there already")
    parser.add_argument("--only", nargs="*", default=[], help="tables; the others keep their figures")
    parser.add_argument("--hed", type=Path, help="folder of ControlNetHED.pth, to ask by its drawings, too")
    parser.add_argument("--before", action="store_true", help="write what the page compares with")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    catalog = args.catalog or built.index(args.work / "procedural_zoo.sqlite", args.samples)
    result = BEFORE if args.before else NOW
    measured_now = measured(catalog, args.work, args.only, with_weights(args.hed))
    known = json.loads(result.read_text(encoding="utf-8")) if result.is_file() else {"tables": {}}
    tables = known["tables"] | measured_now
    found = {"python": platform.python_version(), "samples": args.samples, "unmeasured": COUNT, "tables": tables}
    result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
