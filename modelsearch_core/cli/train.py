"""`modelsearch train style`: learns from the index what a style is."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from ..catalog import Catalog
from ..encoders.style import StyleNetwork, imagenet_weights, open_network, save_network
from ..encoders.style_head import StyleHead
from ..encoders.style_space import STYLE_SETTING
from ..errors import EmptyCatalogError
from ..indexing.style_vectors import store_style_vectors
from ..places import beside
from ..training.style import (
    Outcome,
    Renderings,
    default_file,
    figures_of,
    names_of,
    pictures_of,
    stored_renderings,
    train_style,
    train_style_network,
)
from ..training.triplet import LINEAR, OnEpoch, TripletSettings
from ..training.vgg import PAPER
from .tables import print_json, print_table
from .train_csd import Csd, csd_of, encode_renderings, train_on_csd
from .train_matching import seen_from, train_matching


def train(args: argparse.Namespace) -> int:
    return train_matching(args) if args.what == "matching" else train_style_encoder(args)


def train_style_encoder(args: argparse.Namespace) -> int:
    """Trains, prints what was reached on unseen LoRA, and puts the encoder to use where it is better than none."""
    started = time.monotonic()
    target: Path = args.out or default_file(beside(args.catalog))
    with Catalog(args.catalog) as catalog:
        encoder = _encoder(catalog)
        of = stored_renderings(catalog, encoder)
        if csd := csd_of(args):
            encode_renderings(catalog, encoder, csd, shown=_is_shown(args))
        outcome = _with_bar(args, lambda on_epoch: _trained(args, catalog, of, csd or encoder, target, on_epoch))
        used = outcome.is_better or args.force
        _keep(args, catalog, encoder, outcome, target, used=used)
        held_out = names_of(catalog, outcome.record["held_out"]["loras"])
    if args.json:
        print_json(
            {"file": str(target), "used": used, "features": csd.encoder.name if csd else encoder, **outcome.record}
        )
    else:
        _tell(outcome, held_out, target, used, time.monotonic() - started)
    return 0 if used else 1


def settings_of(args: argparse.Namespace) -> TripletSettings:
    usual = PAPER if args.network == "vgg19" else LINEAR
    return TripletSettings(
        epochs=args.epochs or usual.epochs,
        batch=usual.batch,
        rate=usual.rate,
        margin=args.margin or usual.margin,
        optimiser=usual.optimiser,
        seed=args.seed,
    )


def _trained(
    args: argparse.Namespace, catalog: Catalog, of: Renderings, features: Csd | str, target: Path, on_epoch: OnEpoch
) -> Outcome:
    """`features` are CSD's, or those of the encoder with this name."""
    settings, kept = settings_of(args), _part(target)
    if isinstance(features, Csd):
        return train_on_csd(catalog, of, features, settings, kept, on_epoch)
    if args.network == "linear":
        return train_style(of, features, settings, kept=kept, on_epoch=on_epoch)
    images, weights = pictures_of(catalog, of), imagenet_weights()
    return train_style_network(of, images, settings, weights=weights, device=args.device, kept=kept, on_epoch=on_epoch)


def _keep(
    args: argparse.Namespace, catalog: Catalog, encoder: str, outcome: Outcome, target: Path, *, used: bool
) -> None:
    """Writes the encoder and, where it is to be used, what searches need of it."""
    if isinstance(outcome.trained, StyleNetwork):
        file = save_network(outcome.trained, target, outcome.record)
        if used:
            store_style_vectors(catalog, encoder, open_network(file, args.device), str(target))
    else:
        outcome.trained.save(target)
    if used:
        catalog.put_setting(STYLE_SETTING, seen_from(beside(args.catalog), target))
    _part(target).unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.pt")


def _encoder(catalog: Catalog) -> str:
    known = catalog.encoders()
    if not known:
        raise EmptyCatalogError(f"{catalog.path} holds nothing to train on; run `modelsearch index FOLDER --style`")
    return known[0][0]


def _is_shown(args: argparse.Namespace) -> bool:
    return not args.json and sys.stderr.isatty()


def _with_bar(args: argparse.Namespace, work: Callable[[OnEpoch], Outcome]) -> Outcome:
    """Shows epochs and loss on a terminal."""
    epochs = settings_of(args).epochs
    with tqdm(total=epochs, desc="training", unit=" epochs", disable=not _is_shown(args)) as bar:

        def on_epoch(done: int, loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            bar.update(done - bar.n)

        return work(on_epoch)


def _tell(outcome: Outcome, held_out: list[str], target: Path, used: bool, seconds: float) -> None:
    place = outcome.after[1]
    print(f"held out: {', '.join(held_out)}; {place.queries} queries of unseen subjects among {place.models} LoRA")
    measured = {"encoder": outcome.without, "untrained": outcome.before, "trained": outcome.after}
    rows = [
        (name, *(f"{figures_of(figures)[key]:.3f}" for key in ("f1", "precision", "recall", "mrr", "top1")))
        for name, figures in measured.items()
        if figures
    ]
    if isinstance(outcome.trained, StyleHead) and outcome.trained.csd:
        print(f"on the features of CSD ({outcome.trained.csd}), which are `untrained`, not those of the `encoder`")
    print_table(["", "F1", "precision", "recall", "MRR", "top-1"], rows)
    print(f"{target} ({seconds:.0f} s)")
    if not used:
        print("not used: it finds unseen LoRA worse than the untrained features; --force uses it all the same")
