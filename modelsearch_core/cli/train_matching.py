"""`modelsearch train matching`: tunes the search to a collection."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tqdm import tqdm

from ..catalog import Catalog
from ..places import beside
from ..search import ModelIndex
from ..statistics.matching import MATCHING_SETTING
from ..training.tuning import STEPS_A_TASK, TASKS, Tuned, default_file, figures_of, tune
from .tables import print_json, print_table


def train_matching(args: argparse.Namespace) -> int:
    """Learns, prints what was reached on unseen models, and uses what is better than the plain scores."""
    started = time.monotonic()
    target: Path = args.out or default_file(beside(args.catalog))
    tuned = _with_bar(args)
    if tuned.is_better:
        tuned.matching.save(target)
        with Catalog(args.catalog) as catalog:
            catalog.put_setting(MATCHING_SETTING, seen_from(beside(args.catalog), target))
    if args.json:
        print_json({"file": str(target) if tuned.is_better else None, **tuned.matching.record})
    else:
        _tell(tuned, target, time.monotonic() - started)
    return 0 if tuned.is_better else 1


def _with_bar(args: argparse.Namespace) -> Tuned:
    shown = not args.json and sys.stderr.isatty()
    with (
        ModelIndex.open(args.catalog, device="cpu") as index,
        tqdm(total=STEPS_A_TASK * len(TASKS), desc="learning", disable=not shown, bar_format="{l_bar}{bar}|") as bar,
    ):

        def on_step() -> None:
            bar.update()

        return tune(index.collection, force=args.force, seed=args.seed, on_step=on_step)


def seen_from(catalog: Path, file: Path) -> str:
    """Relative where both lie in one folder, so that they can be moved together."""
    same = file.absolute().parent == catalog.absolute().parent
    return file.name if same else str(file.absolute())


def _tell(tuned: Tuned, target: Path, seconds: float) -> None:
    print(
        "how models not trained on are found (5-fold), by pictures that their statistics do not hold and by what their"
    )
    print("authors say of them:")
    rows = [_row(name, figures_of(choice), name in tuned.matching.matrices) for name, choice in tuned.choices.items()]
    print_table(["", "matrix", "plain top-1", "learned top-1", "plain MRR", "learned MRR", ""], rows)
    print(f"{target} ({seconds:.0f} s)" if tuned.is_better else "nothing is used: the plain scores are no worse")


def _row(name: str, figures: dict[str, object], used: bool) -> list[str]:
    plain, learned = figures["plain"], figures["learned"]
    assert isinstance(plain, dict) and isinstance(learned, dict)
    values = [f"{of[key]:.3f}" for key in ("top1", "mrr") for of in (plain, learned)]
    return [name.replace(".", ", "), str(figures["parameterisation"]), *values, "used" if used else "not used"]
