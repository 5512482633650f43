"""`modelsearch set`: what a model is, said by hand."""

from __future__ import annotations

import argparse
from typing import Any

from ..catalog import Catalog
from ..correcting import FIELDS, correct
from ..search import ModelIndex
from .tables import print_json, print_table


def set_(args: argparse.Namespace) -> int:
    """Sets what the options give, and shows what is set."""
    with ModelIndex.open(args.catalog) as index:
        id = index.describe(args.model).id
        changes = _changes(args)
        if changes.get("base"):
            changes["base"] = str(index.describe(changes["base"]).path)
    with Catalog(args.catalog) as catalog:
        model = correct(catalog, id, changes)
        values = catalog.by_hand.get(id).to_json()
    if args.json:
        print_json({"path": str(model.path), "id": id, "set": values})
        return 0
    shown = [(name, ", ".join(value) if name == "trigger_words" else value) for name, value in values.items()]
    print(f"{model.path}: {'set by hand' if shown else 'nothing is set by hand'}")
    if shown:
        print_table(["what", "value"], shown)
    if changes:
        print("`modelsearch index FOLDER` asks it again where that changes its pictures")
    return 0


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """An empty architecture or base is what the file says; an empty trigger is none at all."""
    changes: dict[str, Any] = dict.fromkeys(FIELDS) if args.reset else {}
    for name in ("architecture", "base"):
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name) or None
    if args.trigger is not None:
        changes["trigger_words"] = args.trigger
    return changes
