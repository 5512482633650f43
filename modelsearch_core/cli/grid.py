"""`modelsearch grid MODEL...`: what several models make of the same drawings, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from PIL import Image

from ..contact_sheet import Cell, Row, contact_sheet
from ..errors import ModelSearchError
from ..search import ModelIndex
from ..search.before_after import BeforeAfter
from .tables import print_json
from .values import check_picture_target, save_picture


def grid(args: argparse.Namespace) -> int:
    """Writes a PNG: subjects, line drawings, their base's pictures, then a row for each model."""
    check_picture_target(args.out)
    with ModelIndex.open(args.catalog) as index:
        painted = {index.describe(name).name: index.before_after(name) for name in args.models}
    sheet = comparison(painted, args.columns)
    save_picture(sheet, args.out)
    if args.json:
        print_json({"file": str(args.out), "models": list(painted)})
    else:
        print(f"{args.out}: {', '.join(painted)}")
    return 0


def comparison(painted: dict[str, list[BeforeAfter]], columns: int) -> Image.Image:
    """One column for each drawing that all of the models have painted, `columns` at most, spread over the set."""
    by_drawing = {name: {pair.drawing_digest: pair for pair in pairs} for name, pairs in painted.items()}
    first = next(iter(by_drawing.values()))
    common = [digest for digest in first if all(digest in pairs for pairs in by_drawing.values())]
    if not common:
        unpainted = [name for name, pairs in painted.items() if not pairs]
        raise ModelSearchError(
            f"these models have no drawing in common ({', '.join(unpainted) or 'other reference sets'}); "
            "run `modelsearch index FOLDER --style --refresh`"
        )
    chosen = [common[i * len(common) // columns] for i in range(columns)] if len(common) > columns else common
    before = [first[digest] for digest in chosen]
    rows = [
        _row("subject", [pair.subject for pair in before]),
        _row("line drawing", [pair.drawing for pair in before]),
        _row("without a LoRA", [pair.base for pair in before]),
    ]
    rows += [_row(name, [pairs[digest].output for digest in chosen]) for name, pairs in by_drawing.items()]
    return contact_sheet(rows)


def _row(heading: str, images: Sequence[Image.Image | None]) -> Row:
    return Row(heading, [Cell(image=image) for image in images])
