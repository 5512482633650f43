"""Whether answers can be trusted, on a world that taught none of it: `python -m benchmarks.emoji_zoo.trust`.

The questions of `python -m benchmarks.honesty`, asked of the mini zoo by its own pictures, their drawings and words.
Writes benchmarks/results/emoji_trust.json and docs/results_trust.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.honesty import page
from benchmarks.honesty.asking import Answer, ask, auc, called_relevant, first, left_out, picks, share
from benchmarks.honesty.crowding import kept_out
from benchmarks.honesty.measuring import confident, of_drawings, said_of
from benchmarks.honesty.questions import Question, name_of, together, unrelated_prompts, unrelated_texts
from benchmarks.honesty.redrawn import by_all, by_the_others
from benchmarks.honesty.unmeasured import COUNT, beside, names_of_things, write_named
from modelsearch_core import nonsense
from modelsearch_core.background import unframed
from modelsearch_core.drawing import WITHOUT_WEIGHTS, Draw, outlines
from modelsearch_core.mini_zoo import ZooModel, zoo_models
from modelsearch_core.search import Filters, ModelIndex, Query

from . import strokes, wordings
from .protocols import indexed

Figures = dict[str, dict[str, float]]
CHECKPOINTS = ("checkpoint", "base")


class Questions:
    """What the zoo is asked; a question's target is its model's name."""

    def __init__(self, models: dict[str, ZooModel]) -> None:
        self.models = list(models.values())
        self.checkpoints = {name_of(model) for model in self.models if model.category in CHECKPOINTS}
        self._of_stem = {Path(model.name).stem: name_of(model) for model in self.models}

    def pictures(self) -> list[Question]:
        return [
            Question(query=Query(images=[model.picture(n)]), target=name_of(model))
            for model in self.models
            for n in range(len(model.pictures))
        ]

    def all_pictures(self) -> list[Question]:
        return [
            Question(query=Query(images=[model.picture(n) for n in range(len(model.pictures))]), target=name_of(model))
            for model in self.models
            if model.pictures
        ]

    def drawings(self, draw: Draw = outlines) -> list[Question]:
        drawn = [(draw(question.query.images[0]), question.target) for question in self.pictures()]
        return [
            Question(query=Query(sketches=[sketch]), target=target)
            for sketch, target in drawn
            if not nonsense.of_sketch(sketch)
        ]

    def all_drawings(self) -> list[Question]:
        """All of a model's at once."""
        drawn: dict[str, list[Image.Image]] = {}
        for question in self.drawings():
            drawn.setdefault(question.target, []).extend(question.query.sketches)
        return [Question(query=Query(sketches=sketches), target=target) for target, sketches in drawn.items()]

    def by_hand(self) -> list[Question]:
        """Things as hands draw them; they ask for the LoRA of the thing, or the checkpoint of things of its kind."""
        return [
            Question(query=Query(sketches=[strokes.drawn(subject, drawer)]), target=self._of_stem[stem])
            for subject, stem in strokes.wanted().items()
            for drawer in range(strokes.DRAWERS)
        ]

    def texts(self) -> list[Question]:
        """As captions put it; and the look's other name."""
        asked = [*wordings.flat(wordings.captions()), *wordings.flat(wordings.other_names())]
        return [Question(query=Query(text=[text]), target=self._of_stem[stem]) for stem, text in asked]


def mixed_evidence(questions: Questions, indexes: dict[str, ModelIndex]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name, index in indexes.items():
        pictures = ask(index, questions.pictures())
        found[name] = {
            "pictures: right first": share(pictures),
            "pictures: right one marked weak": share(pictures, lambda answer: float(answer.weak)),
            "texts: right first": share(ask(index, questions.texts())),
        }
    return found


def mixed_kinds(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    """Pictures of checkpoints and of LoRA in one list, and of LoRA where LoRA alone are listed."""

    def of(answers: Sequence[Answer], whose: str) -> Figures:
        return {
            f"{whose} pictures: right among 5": share(answers, places=5),
            f"{whose} pictures: right first": share(answers),
        }

    asked = questions.pictures()
    of_loras = [question for question in asked if question.target not in questions.checkpoints]
    of_checkpoints = [question for question in asked if question.target in questions.checkpoints]
    apart = ask(index, of_loras, filters=Filters(kind="lora"))
    return {
        "auto": of(ask(index, of_checkpoints), "checkpoints'") | of(ask(index, of_loras), "LoRA's"),
        "auto, LoRA alone listed": of(apart, "LoRA's"),
        "auto, LoRA's pictures": kept_out(index, of_loras),
    }


def several(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name, asked in (("1 picture", questions.pictures()), ("6 pictures", questions.all_pictures())):
        answers = ask(index, asked)
        found[name] = {
            "right first": share(answers),
            "right one marked weak": share(answers, lambda answer: float(answer.weak)),
        }
    return found


def unrelated(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    """How often the best match of something unrelated is called relevant."""
    texts = unrelated_texts()
    found = {
        "text": [first(index, Query(text=[text])) for text in texts],
        "6 texts": [first(index, query) for query in together(texts, 6)],
        "prompt, as people write them": [first(index, Query(text=[text])) for text in unrelated_prompts()],
    }
    found["bare name of a thing"] = [first(index, Query(text=[text])) for text in unframed(texts)]
    found |= left_out(
        index,
        {
            "picture": questions.pictures(),
            "6 pictures": questions.all_pictures(),
            "drawing": questions.drawings(),
            "6 drawings": questions.all_drawings(),
        },
    )
    return {name: {"best called relevant": called_relevant(matches)} for name, matches in found.items()}


def picked(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    own = [q.query.text[0] for q in questions.texts() if q.target not in questions.checkpoints]
    return {
        "unrelated": {"texts": picks(index, unrelated_texts()), "prompts": picks(index, unrelated_prompts())},
        "related": {"words for what a LoRA is about": picks(index, own)},
    }


def right_or_wrong(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name, asked in (
        ("pictures", questions.pictures()),
        ("texts", questions.texts()),
        ("drawings", questions.drawings()),
    ):
        answers = ask(index, asked)
        found[name] = {
            "right first": share(answers),
            "AUC of relevance": auc(answers, lambda answer: answer.first.relevance),
            **confident(answers),
        }
    return found


def drawers(questions: Questions, index: ModelIndex) -> dict[str, Figures]:
    """Drawings by the drawer that the index used, by those that it did not, and by hand."""
    asked = {name: questions.drawings(drawer) for name, drawer in WITHOUT_WEIGHTS.items()}
    asked["by hand"] = questions.by_hand()
    return {name: of_drawings(ask(index, of)) for name, of in asked.items()}


def drawers_in_turn(questions: Questions, catalog: Path, work: Path) -> dict[str, Figures]:
    """Of each drawer, an index that all others have drawn in turn; and one that all have drawn, asked by hand."""
    found: dict[str, Figures] = {}
    for name, copy in by_the_others(catalog, work).items():
        with ModelIndex.open(copy, device="cpu") as index:
            found[name] = of_drawings(ask(index, questions.drawings(WITHOUT_WEIGHTS[name])))
    with ModelIndex.open(by_all(catalog, work), device="cpu") as index:
        return found | {"by hand": of_drawings(ask(index, questions.by_hand()))}


def measured(zoo: Path, catalog: Path, work: Path, only: Sequence[str] = ()) -> dict[str, Any]:
    questions = Questions(zoo_models(zoo))
    with ExitStack() as open_ones:
        index = open_ones.enter_context(ModelIndex.open(catalog, device="cpu"))

        def mixed() -> dict[str, Figures]:
            named = beside(catalog, write_named(work / "names", names_of_things()), work / "names.sqlite")
            among_names = open_ones.enter_context(ModelIndex.open(named, device="cpu"))
            return mixed_evidence(questions, {"alone": index, f"{COUNT} names beside": among_names})

        tables: dict[str, Callable[[], dict[str, Figures]]] = {
            "evidence": mixed,
            "kinds": lambda: mixed_kinds(questions, index),
            "several": lambda: several(questions, index),
            "unrelated": lambda: unrelated(questions, index),
            "picked": lambda: picked(questions, index),
            "right or wrong": lambda: right_or_wrong(questions, index),
            "nonsense": lambda: {'"invoice"': said_of(index, lambda: Query(text=["invoice"]))},
            "drawers": lambda: drawers(questions, index),
            "drawers in turn": lambda: drawers_in_turn(questions, catalog, work),
        }
        return {name: table() for name, table in tables.items() if not only or name in only}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=Path("mini_zoo"))
    parser.add_argument("--catalog", type=Path, default=Path("build/emoji_zoo.sqlite"))
    parser.add_argument("--work", type=Path, default=Path("build/emoji_trust"))
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--only", nargs="*", default=[], help="tables; the others keep their figures")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    found = measured(args.zoo, indexed(args.zoo, args.catalog, args.samples), args.work, args.only)
    tables = page.read(page.SECOND).get("tables", {}) | found
    page.SECOND.write_text(json.dumps({"samples": args.samples, "tables": tables}, indent=1) + "\n", encoding="utf-8")
    page.PAGE.write_text(page.page(), encoding="utf-8")


if __name__ == "__main__":
    main()
