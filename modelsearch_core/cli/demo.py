"""`modelsearch demo`: indexes the bundled mini zoo by generating from it, asks it in every way, shows the answers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..contact_sheet import Cell, Row, contact_sheet
from ..drawing import outlines
from ..errors import ModelSearchError
from ..mini_zoo import FOLDER, PROMPTS, ZooModel, zoo_models
from ..search import Match, ModelIndex, Query
from .arguments import parser
from .index import index as run_index
from .tables import print_json, print_table
from .values import save_picture

SHOWN = 5
TEXTS = (
    ("japanese woodblock print", "painters__wave-v1.5"),
    ("a mosaic of pieces", "painters__kirchenfenster"),
    ("an etching with golden dots", "lora_0413"),
    ("charcoal", "menagerie_v3"),
)
PICTURES = ("HM_0007", "things__Rex", "papercut-test")
SKETCHES = ("HM_0007", "menagerie_v3")
STROKES = (("apple", "kitchen_mix"), ("dinosaur", "things__Rex"))  # by hand; the second is not found first


@dataclass(frozen=True)
class Question:
    """What is asked, which model should come first, and the picture that stands for the question."""

    heading: str
    query: Query
    wanted: str
    picture: Image.Image | None = None


def demo(args: argparse.Namespace) -> int:
    """0 if most questions find their model among the first five."""
    zoo = zoo_models()
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelSearchError(f"--out {args.out} cannot be made: {error.strerror or error}") from error
    catalog = args.out / "catalog.sqlite"
    if status := _index(catalog, args.samples, as_json=args.json):
        return status
    with ModelIndex.open(catalog) as index:
        answers = [(question, index.search(question.query, k=SHOWN)) for question in questions(zoo)]
        sheet = _sheet(index, answers)
    save_picture(sheet, args.out / "contact_sheet.png")
    _report(answers, args)
    return 0 if 2 * sum(place_of(*answer) is not None for answer in answers) > len(answers) else 1


def _index(catalog: Path, samples: int, *, as_json: bool) -> int:
    words = ["index", str(FOLDER / "models"), "--encoder", str(FOLDER / "clip"), "--catalog", str(catalog)]
    words += ["--prompts", str(PROMPTS), "--samples", str(samples), "--device", "cpu"]
    if not as_json:
        print(f"indexing {FOLDER / 'models'}: {samples} pictures a model; a few minutes without a GPU", flush=True)
        return run_index(parser().parse_args(words))
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        return run_index(parser().parse_args(words))


def questions(zoo: dict[str, ZooModel]) -> list[Question]:
    """Texts of words that no file of the zoo has, pictures that nobody trained on, sketches, a model, and mixtures."""
    asked = [_by_text(text, zoo[name]) for text, name in TEXTS]
    asked += [_by_image(zoo[name]) for name in PICTURES]
    asked += [_by_sketch(zoo[name]) for name in SKETCHES]
    asked += [_by_strokes(drawing, zoo[name]) for drawing, name in STROKES]
    return [*asked, _by_model(zoo), *_mixed(zoo)]


def _by_text(text: str, model: ZooModel) -> Question:
    return Question(f"“{text}”", Query(text=[text]), model.name)


def _by_image(model: ZooModel) -> Question:
    picture = model.picture()
    return Question("a picture", Query(images=[picture]), model.name, picture)


def _by_sketch(model: ZooModel) -> Question:
    sketch = outlines(model.picture())
    return Question("a sketch", Query(sketches=[sketch]), model.name, sketch)


def _by_strokes(drawing: str, model: ZooModel) -> Question:
    strokes = Image.open(FOLDER / "strokes" / f"{drawing}.png").convert("RGB")
    return Question("a drawing by hand", Query(sketches=[strokes]), model.name, strokes)


def _by_model(zoo: dict[str, ZooModel]) -> Question:
    """The over-trained one of the same artist."""
    inkline, comix = zoo["styles__inkline-000012"], zoo["styles__comix_overcooked"]
    return Question("models like inkline-000012", Query(like=["inkline-000012"]), comix.name, inkline.picture())


def _mixed(zoo: dict[str, ZooModel]) -> list[Question]:
    picture = zoo["things__Rex"].picture(2)
    engraved = Query(images=[picture], text=["ink engraving"])
    return [
        Question("a picture, and the text “ink engraving”", engraved, zoo["atlas_1720"].name, picture),
        Question(
            "“glowing”, without “violet”", Query(text=["glowing"], without=["violet"]), zoo["painters__glut"].name
        ),
    ]


def place_of(question: Question, matches: Sequence[Match]) -> int | None:
    """The rank of the model that should come first, if it is among the answers."""
    return next((match.rank for match in matches if is_wanted(question, match)), None)


def is_wanted(question: Question, match: Match) -> bool:
    return match.path.as_posix().endswith("/" + question.wanted)


def _report(answers: Sequence[tuple[Question, Sequence[Match]]], args: argparse.Namespace) -> None:
    places = [place_of(*answer) for answer in answers]
    if args.json:
        rows = [
            {"query": question.heading, "wanted": question.wanted, "place": place, "found": [m.name for m in matches]}
            for (question, matches), place in zip(answers, places, strict=True)
        ]
        print_json({"answers": rows, "sheet": str(args.out / "contact_sheet.png")})
        return
    table = [
        (question.heading[:58], Path(question.wanted).stem, place or "-", ", ".join(m.name for m in matches[:3]))
        for (question, matches), place in zip(answers, places, strict=True)
    ]
    print_table(["query", "wanted", "place", "found"], table)
    found = sum(place is not None for place in places)
    print(f"{sum(place == 1 for place in places)} of {len(places)} come first, {found} among the first {SHOWN}")
    print(f"pictures: {args.out / 'contact_sheet.png'}")


def _sheet(index: ModelIndex, answers: Sequence[tuple[Question, Sequence[Match]]]) -> Image.Image:
    rows = [Row(question.heading, _cells(index, question, matches)) for question, matches in answers]
    return contact_sheet(rows, "What is asked (left), what is found, with each model's own pictures")


def _cells(index: ModelIndex, question: Question, matches: Sequence[Match]) -> list[Cell]:
    asked = Cell(image=question.picture, title="asked", note=f"wanted: {Path(question.wanted).stem}")
    return [asked, *(_answer(index, question, match) for match in matches)]


def _answer(index: ModelIndex, question: Question, match: Match) -> Cell:
    image = index.sample(match.id, match.thumbnails[0]) if match.thumbnails else None
    note = f"relevance {match.relevance:.2f}"
    return Cell(image=image, title=f"{match.rank}. {match.name}", note=note, marked=is_wanted(question, match))
