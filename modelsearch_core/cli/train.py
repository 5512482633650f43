"""`modelsearch train style`: learns from the index what a style is."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from ..catalog import Catalog
from ..errors import EmptyCatalogError
from ..search.gallery import STYLE_SETTING
from ..training.style import Outcome, default_file, figures_of, names_of, painted, train_style
from ..training.triplet import LINEAR, TripletSettings
from .tables import print_json, print_table


def train(args: argparse.Namespace) -> int:
    """Trains, prints what was reached on unseen LoRA, and puts the encoder to use where it is better than none."""
    started = time.monotonic()
    target: Path = args.out or default_file(args.catalog)
    with Catalog(args.catalog) as catalog:
        encoder = _encoder(catalog)
        of = painted(catalog, encoder)
        outcome = _with_bar(args, lambda on_epoch: train_style(
            of, encoder, settings_of(args), kept=target.with_suffix(".part.pt"), on_epoch=on_epoch
        ))  # fmt: skip
        outcome.head.save(target)
        target.with_suffix(".part.pt").unlink(missing_ok=True)
        used = outcome.is_better or args.force
        if used:
            catalog.put_setting(STYLE_SETTING, _seen_from(args.catalog, target))
        held_out = names_of(catalog, outcome.head.record["held_out"]["loras"])
    if args.json:
        print_json({"file": str(target), "used": used, **outcome.head.record})
    else:
        _tell(outcome, held_out, target, used, time.monotonic() - started)
    return 0 if used else 1


def settings_of(args: argparse.Namespace) -> TripletSettings:
    return TripletSettings(
        epochs=args.epochs or LINEAR.epochs,
        batch=LINEAR.batch,
        rate=LINEAR.rate,
        margin=args.margin or LINEAR.margin,
        optimiser=LINEAR.optimiser,
        seed=args.seed,
    )


def _encoder(catalog: Catalog) -> str:
    known = catalog.encoders()
    if not known:
        raise EmptyCatalogError(f"{catalog.path} holds nothing to train on; run `modelsearch index FOLDER --style`")
    return known[0][0]


def _with_bar(args: argparse.Namespace, work: Callable[[Callable[[int, float], None]], Outcome]) -> Outcome:
    """Shows epochs and loss on a terminal."""
    shown = not args.json and os.isatty(2)
    with tqdm(total=args.epochs or LINEAR.epochs, desc="training", unit=" epochs", disable=not shown) as bar:

        def on_epoch(done: int, loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            bar.update(done - bar.n)

        return work(on_epoch)


def _seen_from(catalog: Path, file: Path) -> str:
    """Relative where both lie in one folder, so that they can be moved together."""
    same = file.absolute().parent == catalog.absolute().parent
    return file.name if same else str(file.absolute())


def _tell(outcome: Outcome, held_out: list[str], target: Path, used: bool, seconds: float) -> None:
    place = outcome.after[1]
    print(f"held out: {', '.join(held_out)}; {place.queries} queries of unseen subjects among {place.models} LoRA")
    rows = [
        (name, *(f"{figures_of(measured)[key]:.3f}" for key in ("f1", "precision", "recall", "mrr", "top1")))
        for name, measured in (("untrained", outcome.before), ("trained", outcome.after))
    ]
    print_table(["", "F1", "precision", "recall", "MRR", "top-1"], rows)
    print(f"{target} ({seconds:.0f} s)")
    if not used:
        print("not used: it finds unseen LoRA worse than the untrained features; --force uses it all the same")
