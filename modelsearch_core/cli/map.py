"""`modelsearch map`: the collection as one picture, similar models near each other."""

from __future__ import annotations

import argparse

from PIL import Image

from ..errors import ModelSearchError
from ..search import ModelIndex
from ..similarity_map import Place, map_picture, similarity_map
from .tables import print_json
from .values import check_picture_target, save_picture

SMALLEST, LARGEST = 200, 20_000


def map_(args: argparse.Namespace) -> int:
    """Writes a PNG; with --json also tells where each model lies."""
    if not SMALLEST <= args.width <= LARGEST:
        raise ModelSearchError(f"--width {args.width} must be from {SMALLEST} to {LARGEST} pixels")
    check_picture_target(args.output)
    with ModelIndex.open(args.catalog) as index:
        made = similarity_map(index.statistics, args.method, kind=args.kind)

        def thumbnail(place: Place) -> Image.Image | None:
            return None if place.picture is None else index.sample(place.id, place.picture)

        save_picture(map_picture(made, thumbnail, args.width), args.output)
    if args.json:
        print_json({"file": str(args.output), **made.to_json()})
    else:
        told = "" if made.share is None else f"; the two axes hold {made.share:.0%} of how they differ"
        print(f"{args.output}: {len(made.places)} models{told}")
    return 0
