"""`modelsearch repair`: saves what can be read of a damaged catalog."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..catalog.repairing import repair as run_repair
from ..errors import ModelSearchError
from .tables import print_json, print_table

IN_WORDS = {
    "file": "models' files",
    "specification": "models' features",
    "sample": "pictures",
    "probe_set": "sets of probes",
    "text_feature": "texts' features",
    "spatial_map": "layouts",
    "identity": "models' identities",
    "weights_at": "weights looked at",
    "set_by_hand": "what you said of models",
    "failure": "reasons of failures",
    "setting": "settings",
    "encoder": "encoders",
    "spatial_encoder": "encoders of layouts",
}


def repair(args: argparse.Namespace) -> int:
    """1 where something was lost."""
    if not isinstance(args.catalog, Path):
        raise ModelSearchError(f"{args.catalog} is the server's to repair; this is for a catalog in a file")
    done = run_repair(args.catalog)
    if args.json:
        kept = str(done.damaged) if done.damaged else None
        print_json({"catalog": str(args.catalog), "damaged": kept, "saved": done.saved, "lost": done.lost})
    elif done.damaged is None:
        print(f"nothing is wrong with {args.catalog}")
    else:
        names = [name for name in done.saved if done.saved[name] or name in done.lost]
        rows = [(IN_WORDS.get(name, name), done.saved[name], done.lost.get(name, "-")) for name in names]
        print_table(["what", "saved", "lost"], rows)
        print(f"{args.catalog} is usable again; the damaged file is kept as {done.damaged}")
        print("`modelsearch index FOLDER` makes again what was lost")
    return 1 if done.lost else 0
