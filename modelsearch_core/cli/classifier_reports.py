"""What `list`, `show`, `status` and `forget` say of classifiers, taggers and detectors."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..catalog import Catalog
from ..classifiers import ClassifierIndex
from ..classifiers.describing import described_outputs
from ..classifiers.matches import named
from ..classifiers.outputs import Model
from ..contact_sheet import Cell, Row, contact_sheet
from ..errors import EmptyCatalogError, UnknownModelError
from ..search import ModelIndex
from .tables import print_json, print_table
from .values import save_picture

SHOWN = 20  # outputs of a model that `show` prints; all with --json
PICTURED = 100  # and that its sheet shows


def listed(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Every classifier, as `list` names it; none where none was indexed."""
    with _opened(args) as index:
        return [model.to_json() for model in index.outputs.models] if index else []


def stated(args: argparse.Namespace) -> dict[str, Any] | None:
    """How much of them is indexed, what failed, what could not be read; None where there are none."""
    with _opened(args) as index:
        if index is None:
            return None
        outputs = index.outputs
        models = outputs.models
        return {
            "files": sum(1 + len(m.copies) for m in models),
            "classifiers": sum(m.file.kind.value == "classifier" for m in models),
            "detectors": sum(m.file.kind.value == "detector" for m in models),
            "outputs": len(outputs),
            "by_responses": sum(m.asked for m in models),
            "by_labels": sum(not m.asked and len(m.rows) > 0 for m in models),
            "probes": len(outputs.probes),
            "failed": {str(m.file.path): m.failure for m in models if m.failure},
            "notes": {str(m.file.path): m.note for m in models if m.note},
            "skipped": {str(file.path): file.reason for file in outputs.skipped},
        }


def print_state(state: dict[str, Any]) -> None:
    print(
        f"\n{state['classifiers']} classifiers, {state['detectors']} detectors: {state['outputs']} outputs, "
        f"{state['by_responses']} files asked {state['probes']} pictures, {state['by_labels']} known by labels alone"
    )
    for heading, reasons in (("failed", "failed"), ("notes", "notes"), ("no classifiers, or not readable", "skipped")):
        if state[reasons]:
            print(f"\n{heading}:")
            print_table(["file", "reason"], list(state[reasons].items()), wrapped=True)


def show(args: argparse.Namespace) -> bool:
    """What a classifier's outputs are, if MODEL is one: in its own words, in CLIP's, in pictures. Whether it was."""
    with _opened(args) as index:
        model = _meant(index, args)
        if index is None or model is None:
            return False
        _show(index, model, args)
    return True


def forget(args: argparse.Namespace) -> bool:
    """Drops what a classifier answered, if MODEL is one; the file stays. Whether it was."""
    with _opened(args) as index:
        model = _meant(index, args)
    if model is None:
        return False
    with Catalog(args.catalog) as catalog:
        catalog.classifiers.forget(model.file.fingerprint)
    told = {"forgotten": model.file.fingerprint, "path": str(model.file.path)}
    print_json(told) if args.json else print(f"forgot {model.file.path}")
    return True


@contextmanager
def _opened(args: argparse.Namespace) -> Generator[ClassifierIndex | None]:
    """None where no classifier was indexed."""
    try:
        index = ClassifierIndex.open(args.catalog)
    except EmptyCatalogError:
        yield None
        return
    with index:
        yield index


def _meant(index: ClassifierIndex | None, args: argparse.Namespace) -> Model | None:
    """The one of that name. UnknownModelError where several are called so, or a model of another kind is, too."""
    if index is None or not index.called(args.model):
        return None
    model = index.model(args.model)
    with ModelIndex.open(args.catalog) as models:
        try:
            other = models.describe(args.model)
        except UnknownModelError:
            return model
    raise UnknownModelError(
        f"{args.model!r} is a {model.file.kind.value} ({model.file.path}) and a {other.kind} ({other.path}); "
        "give the path"
    )


def _show(index: ClassifierIndex, model: Model, args: argparse.Namespace) -> None:
    outputs = described_outputs(index, model, None if args.json or args.sheet else SHOWN)
    if args.sheet:
        rows = [Row(one.heading, [Cell(image=index.probe(n)) for n in one.probes]) for one in outputs[:PICTURED]]
        save_picture(contact_sheet(rows), args.sheet)
    known = float(index.agreements[index.outputs.models.index(model)])
    facts = {**model.to_json(), "labels borne out": None if np.isnan(known) else f"{known:.2f}"}
    if args.json:
        print_json({**facts, "each": [one.to_json() for one in outputs]})
        return
    print_table(["what", "value"], [(key, value) for key, value in facts.items() if value], wrapped=True)
    print()
    print_table(
        ["output", "its label", "seems to be for (CLIP's words)"],
        [(named(o.output, None, o.turned), o.label or "-", ", ".join(o.seems)) for o in outputs[:SHOWN]],
    )
    if len(model.rows) > SHOWN:
        print(f"... {len(model.rows) - SHOWN} more: --json has them all, --sheet PNG shows their probes")
