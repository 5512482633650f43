"""`modelsearch list`, `show`, `status`, `forget`, `duplicates`: what the catalog holds."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..catalog import Catalog
from ..contact_sheet import Cell, Row, contact_sheet
from ..effects import without_effect
from ..model_files import ModelFile, SkippedFile
from ..pairs import one_each, other_halves
from ..pictures import SUMMARY, PictureSummary
from ..search import Description, ModelIndex
from ..search.kin import Kin, MergeOf
from . import classifier_reports
from .tables import print_json, print_table
from .values import check_picture_target, save_picture


def _pictures(model: Description) -> str:
    """That it was asked for, and those of the user's that count beside them."""
    return f"{model.samples} + {model.users_pictures} of yours" if model.users_pictures else str(model.samples)


def list_(args: argparse.Namespace) -> int:
    """Every model with its best evidence."""
    with ModelIndex.open(args.catalog) as index:
        models = index.models()
    shown, others = one_each(models)
    probed = classifier_reports.listed(args)
    if args.json:
        halves = {path: str(other) for path, other in others.items()}
        print_json([*({**model.to_json(), "other_half": halves.get(model.path)} for model in models), *probed])
    else:
        names = {m.path: f"{m.name} + {others[m.path].stem}" if m.path in others else m.name for m in shown}
        rows = [
            (m.kind, m.architecture, m.evidence or "-", _pictures(m), names[m.path], ", ".join(m.trigger_words))
            for m in shown
        ]
        rows += [(m["kind"], m["form"], m["evidence"] or "-", f"{m['outputs']} outputs", m["name"], "") for m in probed]
        print_table(["kind", "arch", "evidence", "samples", "name", "trigger words"], rows)
    return 0 if models or probed else 1


def show(args: argparse.Namespace) -> int:
    """All that is known of one model."""
    check_picture_target(args.sheet)
    if classifier_reports.show(args):
        return 0
    with ModelIndex.open(args.catalog) as index:
        model = index.describe(args.model)
        if args.sheet:
            cells = [Cell(image=image, note=prompt) for image, prompt in index.samples_with_prompts(model.id)]
            rows = [Row("" if start else model.name, cells[start : start + 8]) for start in range(0, len(cells), 8)]
            save_picture(contact_sheet(rows), args.sheet)
        other = other_halves(index.models()).get(model.path)
    told = {**model.to_json(), **_said_and_seen(args, model.id), "other_half": str(other) if other else None}
    if args.json:
        print_json(told)
    else:
        rows = [(key, _text(value)) for key, value in told.items() if value]
        print_table(["what", "value"], rows, wrapped=True)
    return 0


def _said_and_seen(args: argparse.Namespace, id: str) -> dict[str, object]:
    """What the user has set, and whether the model changes anything."""
    with Catalog(args.catalog, read_only=True) as catalog:
        by_hand, encoders = list(catalog.by_hand.get(id).to_json()), catalog.encoders()
        idle = bool(encoders) and id in without_effect(catalog, encoders[0][0])
    return {"by_hand": by_hand, "effect": "none: its pictures are those of its base" if idle else None}


def status(args: argparse.Namespace) -> int:
    """How much is indexed, what failed, what could not be read."""
    with Catalog(args.catalog, read_only=True) as catalog:
        files, failures, encoders = catalog.files(), catalog.failures(), catalog.encoders()
        idle = without_effect(catalog, encoders[0][0]) if encoders else set[str]()
        pictures = PictureSummary.from_json(catalog.setting(SUMMARY))
    models = [file for file in files if isinstance(file, ModelFile)]
    with ModelIndex.open(args.catalog) as index:
        evidence = Counter(model.evidence or "nothing" for model in index.models())
    failed = {str(m.path): failures[m.fingerprint] for m in models if m.fingerprint in failures}
    no_effect = {str(m.path): "its pictures are those of its base" for m in models if m.fingerprint in idle}
    skipped = {str(file.path): file.reason for file in files if isinstance(file, SkippedFile)}
    probed = classifier_reports.stated(args)
    summary = {"models": len(models), "evidence": dict(evidence), "encoder": encoders[0][0] if encoders else None}
    if args.json:
        print_json(
            {
                **summary,
                "pictures": asdict(pictures) if pictures else None,
                "failed": failed,
                "no_effect": list(no_effect),
                "skipped": skipped,
                "classifiers": probed,
                "catalog": str(args.catalog),
            }
        )
        return 0
    known = ", ".join(f"{count} {level}" for level, count in evidence.items()) or "none"
    print(f"{len(models)} models: {known}\nencoder: {summary['encoder']}\ncatalog: {args.catalog}")
    if pictures:
        print(f"your pictures: {pictures}")
    for heading, reasons in (("failed", failed), ("no effect", no_effect), ("no models, or not readable", skipped)):
        if reasons:
            print(f"\n{heading}:")
            print_table(["file", "reason"], list(reasons.items()), wrapped=True)
    if probed:
        classifier_reports.print_state(probed)
    return 0


def forget(args: argparse.Namespace) -> int:
    """Drops what was measured of one model; the file stays."""
    if classifier_reports.forget(args):
        return 0
    with ModelIndex.open(args.catalog) as index:
        model = index.describe(args.model)
    with Catalog(args.catalog) as catalog:
        catalog.forget(model.id)
    print_json({"forgotten": model.id, "path": str(model.path)}) if args.json else print(f"forgot {model.path}")
    return 0


def duplicates(args: argparse.Namespace) -> int:
    """Groups with the same weights, pairs whose pictures are nearly the same, LoRA that are kin by their weights."""
    with ModelIndex.open(args.catalog) as index:
        exact, near = index.exact_duplicates(), index.near_duplicates(args.threshold)
        by_weights, merges = index.near_by_weights(), index.merges()
        without_magnitude = index.without_magnitude()
    nothing = not (exact or near or by_weights or merges)
    if args.json:
        pairs = [{"a": str(a), "b": str(b), "similarity": round(cosine, 4)} for a, b, cosine in near]
        groups = [[str(path) for path in group] for group in exact]
        changes = [_of_kin(kin) for kin in by_weights]
        kin = {"by_weights": changes, "merges": [*map(_of_merge, merges)]}
        paths = [str(path) for path in without_magnitude]
        print_json({"exact": groups, "near": pairs, **kin, "without_magnitude": paths})
        return int(nothing)
    for group in exact:
        print("same weights:", *(f"\n  {path}" for path in group), sep="")
    if near:
        print_table(["alike", "model", "and"], [(f"{cosine:.3f}", a, b) for a, b, cosine in near])
    if by_weights:
        print("change nearly the same:")
        rows = [(f"{kin.cosine:.3f}", kin.a, kin.b, kin.in_words) for kin in by_weights]
        print_table(["alike", "LoRA", "and", "which are"], rows)
    if merges:
        print("merges:")
        parts = [
            (f"{of.explained:.0%}", of.merged, f"{of.alpha:.2f} x", of.a, f"{of.beta:.2f} x", of.b) for of in merges
        ]
        print_table(["explained", "LoRA", "is", "of", "and", "of"], parts)
    if nothing:
        print("no duplicates")
    if without_magnitude:
        print("compared without DoRA's magnitudes, as no base with readable weights is here:")
        print(*(f"  {path}" for path in without_magnitude), sep="\n")
    return int(nothing)


def _of_kin(kin: Kin) -> dict[str, Any]:
    return {"a": str(kin.a), "b": str(kin.b), **kin.figures}


def _of_merge(of: MergeOf) -> dict[str, Any]:
    return {"merged": str(of.merged), "a": str(of.a), "b": str(of.b), **of.figures}


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
