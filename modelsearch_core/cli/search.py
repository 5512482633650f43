"""`modelsearch search`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..contact_sheet import Cell, Row, contact_sheet
from ..errors import ModelSearchError
from ..guesses import Guesses
from ..model_files.opening import open_regular
from ..pairs import one_each
from ..raster import open_raster
from ..search import Filters, Match, ModelIndex, Query, nothing_to_vary
from .explaining import print_explanations
from .tables import print_json, print_table
from .values import (
    check_architecture,
    check_device,
    check_picture_target,
    check_searched_folder,
    check_style,
    is_meant_as_picture,
    save_picture,
)

LONGEST_SIDE = 4096  # of a picture that is asked with; more than any encoder sees


def search(args: argparse.Namespace) -> int:
    """Prints the models that fit, best first."""
    check(args)
    query = query_of(args)
    with ModelIndex.open(args.catalog, device=args.device) as index:
        matches = index.search(
            query,
            filters=Filters.of(vars(args)),
            method=args.method,
            k=args.k,
            diverse=args.diverse,
            exact=args.exact,
        )
        if args.respect_layout or args.method == "spatial":
            tell_unmapped(index)
        if args.sheet:
            save_picture(answer_sheet(index, [(heading_of(args), matches)]), args.sheet)
        if args.json:
            print_json([match.to_json() for match in matches])
        else:
            print_matches(matches)
            if args.explain and matches:
                print_explanations(index, matches)
        if args.diverse and matches and (why := nothing_to_vary(matches, args.k)):
            print(why, file=sys.stderr)
    guesses = Guesses(lambda: args.catalog)
    guesses.saw(matches)
    guesses.join()
    return 0 if matches else 1


def tell_unmapped(index: ModelIndex) -> None:
    """How many models with pictures have no map yet, on the error stream."""
    pictured = set(np.flatnonzero(~index.collection.unseen).tolist())
    if missing := len(pictured.difference(index.statistics.mapped_layouts.known.tolist())):
        print(
            f"{missing} of {len(pictured)} models have no map of where things are yet; "
            "`modelsearch index FOLDER --spatial` makes them",
            file=sys.stderr,
        )


def check(args: argparse.Namespace) -> None:
    """ModelSearchError for what would say nothing, or cannot be written in the end."""
    check_device(args.device)
    check_picture_target(args.sheet)
    if args.prompt and not args.image:
        raise ModelSearchError("--prompt is about a picture; add --image F, or ask by --text")
    check_architecture(args.architecture, args.catalog)
    check_searched_folder(args.folder, args.catalog)
    check_style(args.style, has_pictures=bool(args.image), catalog=args.catalog)


def query_of(args: argparse.Namespace) -> Query:
    without = [load_image(Path(item)) if is_meant_as_picture(item) else item for item in args.without]
    try:
        return Query(
            text=args.text,
            images=[load_image(path) for path in args.image],
            sketches=[load_image(path) for path in args.sketch],
            like=args.like,
            without=without,
            weights=args.weight or None,
            prompt=args.prompt,
            style=args.style,
            respect_layout=args.respect_layout,
        )
    except ValueError as error:
        raise ModelSearchError(f"{error}; see `modelsearch search --help`") from error


def load_image(path: Path) -> Image.Image:
    """A picture from a file; ModelSearchError where there is none."""
    try:
        with open_regular(path) as file:
            return open_raster(file, LONGEST_SIDE)
    except FileNotFoundError as error:
        raise ModelSearchError(f"there is no picture at {path}") from error
    except (ModelSearchError, OSError) as error:
        raise ModelSearchError(f"{path} cannot be read as a picture: {error}") from error


def heading_of(args: argparse.Namespace) -> str:
    parts = [*args.text, *(p.name for p in args.image), *(p.name for p in args.sketch), *args.like]
    return " + ".join(map(str, parts)) + "".join(f" without {item}" for item in args.without)


def print_matches(matches: Sequence[Match]) -> None:
    if not matches:
        print("no model of the index fits", file=sys.stderr)
        return
    shown, others = one_each(matches)
    names = {m.path: f"{m.name} + {others[m.path].stem}" if m.path in others else m.name for m in shown}
    rows = [
        (m.rank, _relevance(m), f"{m.confidence:.0%}", m.kind, m.architecture, _evidence(m), names[m.path], _words(m))
        for m in shown
    ]
    print_table(["#", "relevance", "sure", "kind", "arch", "evidence", "name", "trigger words"], rows)
    if matches[0].weak:
        print("weak: an unrelated query's best match is as good; nothing here may be what you want")
    if any(m.guessed for m in shown):
        print("guessed: nothing was generated with it; its name or a preview is all that speaks for it")


def answer_sheet(index: ModelIndex, answers: Sequence[tuple[str, Sequence[Match]]]) -> Image.Image:
    """Each answer a row: its models' nearest samples."""
    rows = [Row(heading, [_cell(index, match) for match in matches]) for heading, matches in answers]
    return contact_sheet(rows)


def _cell(index: ModelIndex, match: Match) -> Cell:
    image = index.sample(match.id, match.thumbnails[0]) if match.thumbnails else None
    return Cell(image=image, title=f"{match.rank}. {match.name}", note=f"relevance {match.relevance:.2f}")


def _relevance(match: Match) -> str:
    return f"{match.relevance:.2f}{' weak' if match.weak else ''}"


def _evidence(match: Match) -> str:
    pictures = f" {match.samples}" if match.samples else ""
    beside = f" + {match.users_pictures} of yours" if match.users_pictures else ""
    return f"{match.evidence.value}{pictures}{beside}{', guessed' if match.guessed else ''}"


def _words(match: Match) -> str:
    return ", ".join(match.trigger_words)
