"""`index`, `search` and `evaluate` of classifiers, taggers and detectors."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..catalog import Catalog
from ..classifiers import (
    ClassifierIndex,
    ClassifierReport,
    ConceptQuery,
    OutputMatch,
    ProbeSettings,
    index_classifiers,
)
from ..classifiers.evaluating import by_labels, by_pictures
from ..classifiers.indexing import FEW
from ..classifiers.ultralytics_files import load_trusted
from ..contact_sheet import Cell, Row, contact_sheet
from ..encoders import DEFAULT_ENCODER, open_encoder
from ..errors import ModelSearchError
from ..model_files import Kind
from .bars import Bars
from .evaluate import PICTURES
from .screen import visible
from .search import load_image
from .tables import print_json, print_table


def index(args: argparse.Namespace) -> int:
    """Probes the classifiers of the folders."""
    if args.ray is not None or args.map:
        raise ModelSearchError("classifiers are asked by this machine alone; leave --ray and --map off")
    started = time.monotonic()
    with Catalog(args.catalog) as catalog, Bars(shown=False if args.json else None) as bars:
        settings = ProbeSettings(
            probes=args.probes,
            pictures=[] if args.no_pictures else args.pictures,
            refresh=args.refresh,
            kinds=[Kind(kind) for kind in args.kind],
            device=args.device,
        )
        known = catalog.encoders()
        source = args.encoder or (known[0][1] if known else DEFAULT_ENCODER)
        encoder = open_encoder(source, device=args.device)
        report = index_classifiers(
            catalog, args.folders, encoder, source, settings, bars, load_trusted if args.trust_pickled else None
        )
    print_json(_as_json(report)) if args.json else _tell(report, time.monotonic() - started, args)
    return 1 if report.failed or not report.models else 0


def search(args: argparse.Namespace) -> int:
    """Prints the outputs that know the concept, best first."""
    if args.sketch or args.like:
        raise ModelSearchError("classifiers are searched by --text, --image and --without; leave --sketch, --like off")
    try:
        images = [load_image(path) for path in args.image]
        query = ConceptQuery(text=args.text, images=images, without=args.without)
    except ValueError as error:
        raise ModelSearchError(f"{error}; see `modelsearch search --help`") from error
    with ClassifierIndex.open(args.catalog, device=args.device) as index:
        matches = index.search(query, kind=args.kind, folder=Path(args.folder) if args.folder else None, k=args.k)
        if args.sheet:
            answer_sheet(index, matches).save(args.sheet)
    if args.json:
        print_json([match.to_json() for match in matches])
    else:
        _print_matches(matches)
    return 0 if matches else 1


def evaluate(args: argparse.Namespace) -> int:
    """How often a label, or pictures in a folder of its name, finds an output that bears it, labels left out."""
    with ClassifierIndex.open(args.catalog, device=args.device) as index:
        if args.folder is None:
            found = by_labels(index)
        else:
            found = by_pictures(
                index,
                {
                    sub.name: [load_image(path) for path in sorted(sub.iterdir()) if path.suffix.lower() in PICTURES]
                    for sub in sorted(args.folder.iterdir())
                    if sub.is_dir()
                },
            )
    if args.json:
        print_json({"asked": found.concepts, "outputs": found.outputs, "top1": found.top1, "top5": found.top5})
        return 0
    print(
        f"{found.concepts} concepts asked among {found.outputs} outputs with labels, which are left out of the answer"
    )
    print_table(["top-1", "top-5", "by lot"], [(f"{found.top1:.3f}", f"{found.top5:.3f}", f"{found.chance:.3f}")])
    return 0


def answer_sheet(index: ClassifierIndex, matches: Sequence[OutputMatch]) -> Image.Image:
    """A row for each output: the probes that excite it most."""
    rows = [
        Row(
            f"{m.rank}. {m.name}: {m.what}, relevance {m.relevance:.2f}", [Cell(image=index.probe(n)) for n in m.probes]
        )
        for m in matches
    ]
    return contact_sheet(rows)


def _print_matches(matches: Sequence[OutputMatch]) -> None:
    if not matches:
        print("no classifier of the index fits", file=sys.stderr)
        return
    rows = [
        (
            m.rank,
            f"{m.relevance:.2f}{' weak' if m.weak else ''}",
            m.kind,
            m.name,
            m.output if not m.turned else f"{m.output} (low)",
            m.label or "-",
            "-" if m.threshold is None else f"{m.threshold:.3g}",
            ", ".join(map(str, m.probes)) or "never asked",
        )
        for m in matches
    ]
    print_table(["#", "relevance", "kind", "file", "output", "label", "from", "probes"], rows)
    if matches[0].weak:
        print("weak: an unrelated concept's best output is as good; nothing here may know what you want")
    print("from: what the model has to say of a picture at least; --sheet PNG shows the probes")


def _tell(report: ClassifierReport, seconds: float, args: argparse.Namespace) -> None:
    print(
        f"{report.models} classifiers: {len(report.probed)} probed now ({report.outputs} outputs, {report.probes} "
        f"pictures each), {report.unchanged} unchanged, {len(report.failed)} failed; {seconds:.0f} s"
    )
    for path, reason in report.failed.items():
        print(visible(f"  failed: {path}: {reason}"), file=sys.stderr)
    for path, note in report.notes.items():
        print(visible(f"  note: {path}: {note}"), file=sys.stderr)
    if report.named_only:
        print(
            f"  {len(report.named_only)} are known by the class names in the file alone (pickled modules are not run; "
            "--trust-pickled asks them, too)"
        )
    if report.models and report.probes < FEW:
        print(
            f"  only {report.probes} probe pictures, so answers are coarse; give a few thousand of all sorts with "
            "--probes FOLDER, or index checkpoints first, whose pictures then serve"
        )
    if report.skipped:
        reasons = Counter(file.reason.split(" (")[0][:80] for file in report.skipped)
        print(f"  {len(report.skipped)} files are none or cannot be read: {reasons.most_common(1)[0][0]}, ...")
    print(f"catalog: {args.catalog}")


def _as_json(report: ClassifierReport) -> dict[str, object]:
    return {
        "models": report.models,
        "probed": [str(path) for path in report.probed],
        "outputs": report.outputs,
        "probes": report.probes,
        "unchanged": report.unchanged,
        "named_only": [str(path) for path in report.named_only],
        "removed": report.removed,
        "notes": {str(path): note for path, note in report.notes.items()},
        "failed": {str(path): reason for path, reason in report.failed.items()},
        "skipped": {str(file.path): file.reason for file in report.skipped},
    }
