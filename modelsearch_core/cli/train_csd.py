"""`modelsearch train style` on the features of CSD in place of the index's encoder."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from ..catalog import Catalog
from ..encoders.csd import csd_file, find_csd, open_csd
from ..encoders.style import StyleEncoder
from ..encoders.style_head import StyleHead
from ..errors import ModelSearchError
from ..indexing.style_vectors import store_style_vectors
from ..places import expanded
from ..training.style import Outcome, Renderings, features_of, train_style
from ..training.triplet import OnEpoch, TripletSettings


@dataclass(frozen=True)
class Csd:
    """CSD, and where its weights are."""

    encoder: StyleEncoder
    file: Path


def csd_of(args: argparse.Namespace) -> Csd | None:
    """As the options say: named, asked for (then downloaded if need be), or there anyway."""
    linear = args.network == "linear"
    if (args.csd and args.features == "encoder") or (not linear and (args.csd or args.features != "auto")):
        raise ModelSearchError(
            f"--csd {args.csd} and --features {args.features} do not go with --network {args.network}: a linear head "
            "takes either CSD's features or the encoder's, and vgg19 looks at the pictures itself; leave one out"
        )
    if not linear or args.features == "encoder":
        return None
    if args.csd or args.features == "csd":
        return _opened(args.csd or _downloaded(args), args.device)
    return _there_anyway(args.device)


def encode_renderings(catalog: Catalog, encoder: str, csd: Csd, *, shown: bool) -> None:
    """Stores CSD's features of the painted drawings; what is stored already is not looked at again."""
    with tqdm(desc="CSD looks at drawings", unit=" models", disable=not shown) as bar:

        def on_model(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        store_style_vectors(catalog, encoder, csd.encoder, str(csd.file), on_model)


def train_on_csd(
    catalog: Catalog, of: Renderings, csd: Csd, settings: TripletSettings, kept: Path, on_epoch: OnEpoch
) -> Outcome:
    """The same pictures and triplets, measured against CSD untrained and against the encoder's features `of` them."""
    seen = replace(of, features=features_of(catalog, of, csd.encoder.name))
    outcome = train_style(seen, csd.encoder.name, settings, without=of.features, kept=kept, on_epoch=on_epoch)
    assert isinstance(outcome.trained, StyleHead)
    return replace(outcome, trained=replace(outcome.trained, csd=str(csd.file)))


def _there_anyway(device: str) -> Csd | None:
    file = find_csd()
    try:
        return _opened(file, device) if file else None
    except ModelSearchError as error:
        print(f"{error}; goes on with the encoder's features", file=sys.stderr)
        return None


def _opened(file: Path, device: str) -> Csd:
    file = expanded(file).absolute()
    return Csd(open_csd(file, device), file)


def _downloaded(args: argparse.Namespace) -> Path:
    with tqdm(unit="B", unit_scale=True, disable=args.json or not sys.stderr.isatty()) as bar:

        def progress(file: str, done: int, total: int | None) -> None:
            bar.total, bar.desc = total, file
            bar.update(done - bar.n)

        return csd_file(progress=progress)
