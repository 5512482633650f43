"""What is measured, a function a table: rows of figures by label, each {value, low, high, of}."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image

from benchmarks.zoo.built import FOLDER
from benchmarks.zoo.world import render, sample_scene
from modelsearch_core.background import unframed
from modelsearch_core.drawing import WITHOUT_WEIGHTS, Draw
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing.thumbnails import thumbnail
from modelsearch_core.reference_set import UNCHANGED, mean_squared_error, read_subjects, square
from modelsearch_core.scores import calibration
from modelsearch_core.search import Filters, Match, ModelIndex, Query
from modelsearch_core.search.answering import Answering

from . import questions as asked
from .asking import Answer, ask, auc, called_relevant, first, ids_of, interval, left_out, picks, share
from .crowding import kept_out
from .questions import Question
from .strokes import HANDS, draw

Figures = dict[str, dict[str, float]]
SEED = 80_000
DRAWN_EACH = 6  # hand-drawn sketches of each subject
SHOWN = 6  # of a diverse list
EVERY = 10_000
BASE = "base"  # of the zoo, which no question is about
PLAIN, WITHOUT = 2, 3  # where a row of `unwanted` has its lists


def mixed_evidence(alone: ModelIndex, beside: dict[str, ModelIndex]) -> dict[str, Figures]:
    """The measured models' figures, alone and with unmeasured ones beside them; and how well these are found."""
    found: dict[str, Figures] = {}
    for name, index in {"alone": alone, **beside}.items():
        pictures, texts = ask(index, asked.by_pictures()), ask(index, asked.by_texts())
        found[name] = {
            "pictures: right first": share(pictures),
            "pictures: right one marked weak": share(pictures, lambda answer: float(answer.weak)),
            "texts: right first": share(texts),
        }
        if name in beside:
            found[name]["unmeasured: first for its own name"] = share(ask(index, by_own_names(index), k=1))
    return found


def by_own_names(index: ModelIndex) -> list[Question]:
    """A text for each model of which nothing was generated: its title."""
    models = [model for model in index.models() if model.evidence not in (None, "generated")]
    return [Question(query=Query(text=[model.title]), target=model.path.stem) for model in models]


def mixed_kinds(index: ModelIndex) -> dict[str, Figures]:
    """Pictures of checkpoints and of LoRA in one list."""
    found: dict[str, Figures] = {}
    for method in ("auto", "gaussian", "first_moment"):
        answers = ask(index, asked.by_pictures(), method=method)
        found[method] = {**of_kind(answers, checkpoints=True), **of_kind(answers, checkpoints=False)}
        if method == "auto":
            unseen = [answer for answer in answers if answer.target in asked.untaught()]
            found["auto, models that chose nothing"] = {
                **of_kind(unseen, checkpoints=True),
                **of_kind(unseen, checkpoints=False),
            }
    models = {model.path: model for model in index.models()}
    others = {path for path in models if path.name != BASE}
    answers = ask(index, asked.by_pictures(), filters=Filters(among=others))
    found["auto, the base not listed"] = {**of_kind(answers, checkpoints=True), **of_kind(answers, checkpoints=False)}
    of_loras = [question for question in asked.by_pictures() if not asked.is_checkpoint(question.target)]
    found["auto, LoRA alone listed"] = of_kind(ask(index, of_loras, filters=Filters(kind="lora")), checkpoints=False)
    found["auto, LoRA's pictures"] = kept_out(index, of_loras)
    return found


def of_kind(answers: Sequence[Answer], *, checkpoints: bool) -> dict[str, dict[str, float]]:
    """How far ahead the right one is, of one kind's pictures."""
    of, whose = (
        [a for a in answers if asked.is_checkpoint(a.target) == checkpoints],
        "checkpoints'" if checkpoints else "LoRA's",
    )
    return {f"{whose} pictures: right among 5": share(of, places=5), f"{whose} pictures: right first": share(of)}


def several(index: ModelIndex) -> dict[str, Figures]:
    """One picture of a model, and all six."""
    found: dict[str, Figures] = {}
    for name, questions in (
        ("1 picture", asked.by_pictures()),
        ("6 pictures", asked.by_all_pictures()),
        ("1 drawing", asked.by_sketches()),
        ("6 drawings", asked.by_all_sketches()),
    ):
        answers = ask(index, questions)
        found[name] = {
            "right first": share(answers),
            "right one marked weak": share(answers, lambda answer: float(answer.weak)),
            "first one's relevance": share(answers, lambda answer: answer.first.relevance),
        }
    return found


def unrelated(index: ModelIndex) -> dict[str, Figures]:
    """How often the best match of something unrelated is called relevant: half of the time, if .5 means what it says.

    Texts are of things nobody here has; pictures and drawings are a model's own, with that model out of the
    collection.
    """
    texts = asked.unrelated_texts()
    found = {
        "text": [first(index, Query(text=[text])) for text in texts],
        "bare name of a thing": [first(index, Query(text=[text])) for text in unframed(texts)],
        "6 texts": [first(index, query) for query in asked.together(texts, 6)],
        "prompt, as people write them": [first(index, Query(text=[text])) for text in asked.unrelated_prompts()],
    }
    found |= left_out(
        index,
        {
            "picture": asked.by_pictures(),
            "6 pictures": asked.by_all_pictures(),
            "drawing": asked.by_sketches(),
            "6 drawings": asked.by_all_sketches(),
        },
    )
    return {name: {"best called relevant": called_relevant(matches)} for name, matches in found.items()}


def picked(index: ModelIndex) -> dict[str, Figures]:
    """How often a LoRA is picked unasked: for prompts that nothing here is about, and for what a LoRA is about."""
    related = [question.query.text[0] for question in asked.by_texts() if not asked.is_checkpoint(question.target)]
    return {
        "unrelated": {
            "texts": picks(index, asked.unrelated_texts()),
            "prompts": picks(index, asked.unrelated_prompts()),
        },
        "related": {"descriptions of the LoRA": picks(index, related)},
    }


def unwanted(index: ModelIndex) -> dict[str, Figures]:
    """A thing or look asked for; the words of the best other model that has any are not wanted."""
    ids, words = ids_of(index), {q.target: q.query.text[0] for q in asked.by_texts()}
    of_id = {ids[name]: text for name, text in words.items()}
    rows: list[tuple[Any, ...]] = []  # (id, id, answer, answer)
    for question in asked.by_texts():
        right = ids[question.target]
        plain = index.search(question.query, k=EVERY)
        rival = next(match.id for match in plain if match.id != right and match.id in of_id)
        rows.append((right, rival, plain, index.search(_less(question.query, of_id[rival]), k=EVERY)))
    owners = np.array([right for right, *_ in rows])

    def of(values: Sequence[float]) -> dict[str, float]:
        return interval(np.array(values, float), owners)

    risen = {"some model is called more relevant": of([float(_rises(*each)) for _, _, *each in rows])}
    return {
        name: {
            "unwanted one's place": of([_place(row[which], row[1]) for row in rows]),
            "right one's place": of([_place(row[which], row[0]) for row in rows]),
            "first one's relevance": of([row[which][0].relevance for row in rows]),
        }
        | (risen if which == WITHOUT else {})
        for name, which in (("as it is", PLAIN), ("--without", WITHOUT))
    }


def _less(query: Query, words: str) -> Query:
    return Query(text=query.text, without=[words])


def _place(matches: Sequence[Match], id: str) -> int:
    return next((match.rank for match in matches if match.id == id), len(matches) + 1)


def _rises(plain: Sequence[Match], found: Sequence[Match]) -> bool:
    was = {match.id: match.relevance for match in plain}
    return any(match.relevance > was[match.id] + 1e-6 for match in found)


def nonsense(index: ModelIndex) -> dict[str, Figures]:
    """What is said of queries that ask for nothing: the best match's relevance, or 0 and a refusal."""
    rng = np.random.default_rng(SEED)
    blank, noise = Image.new("RGB", (256, 256), "white"), Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))
    queries: dict[str, Callable[[], Query]] = {
        "blank sketch": lambda: Query(sketches=[blank]),
        "transparent sketch": lambda: Query(sketches=[Image.new("RGBA", (256, 256), (0, 0, 0, 0))]),
        "black sketch": lambda: Query(sketches=[Image.new("RGB", (256, 256), "black")]),
        "sketch of noise": lambda: Query(sketches=[noise]),
        "picture of one colour": lambda: Query(images=[Image.new("RGB", (64, 64), (40, 90, 200))]),
        "picture of noise": lambda: Query(images=[noise]),
        "empty text": lambda: Query(text=["  "]),
        '"invoice"': lambda: Query(text=["invoice"]),
        "negatives alone": lambda: Query(without=["a red star"]),
    }
    return {name: said_of(index, query) for name, query in queries.items()}


def said_of(index: ModelIndex, query: Callable[[], Query]) -> Figures:
    """Relevance and confidence of the best match, 0 where it is refused."""
    try:
        best, refused = first(index, query()), 0.0
    except (ModelSearchError, ValueError):
        best, refused = None, 1.0
    figure = {"low": float("nan"), "high": float("nan"), "of": 1}
    said = {"relevance": best.relevance if best else 0.0, "confidence": best.confidence if best else 0.0}
    return {name: {"value": value, **figure} for name, value in {**said, "refused": refused}.items()}


def right_or_wrong(index: ModelIndex) -> dict[str, Figures]:
    """How well the numbers tell right first answers from wrong ones."""
    found: dict[str, Figures] = {}
    for name, questions in (
        ("pictures", asked.by_pictures()),
        ("texts", asked.by_wordings()),
        ("drawings", asked.by_sketches()),
        ("6 pictures", asked.by_all_pictures()),
    ):
        answers = ask(index, questions)
        found[name] = {"right first": share(answers), "AUC of relevance": auc(answers, lambda a: a.first.relevance)}
        if getattr(answers[0].first, "confidence", None) is not None:
            found[name] |= confident(answers)
            unseen = [answer for answer in answers if answer.target in asked.untaught()]
            found[f"{name} of models that taught nothing"] = confident(unseen)
    return found


def confident(answers: Sequence[Answer]) -> Figures:
    """AUC of the confidence, its mean, and its Brier score beside that of always saying the mean."""
    said = [float(getattr(answer.first, "confidence")) for answer in answers]  # noqa: B009  # new in a match
    right = float(np.mean([answer.right for answer in answers]))
    told = dict(zip(map(id, answers), said, strict=True))
    return {
        "AUC of confidence": auc(answers, lambda a: told[id(a)]),
        "mean confidence": share(answers, lambda a: told[id(a)]),
        "Brier score": share(answers, lambda a: (told[id(a)] - a.right) ** 2),
        "Brier score of the hit rate": share(answers, lambda a: (right - a.right) ** 2),
    }


def usual_taken_off(catalog: Path) -> dict[str, Figures]:
    """`mixed_kinds` by the share of what a model usually gets that is taken off it, of models that chose it and that
    did not."""
    found: dict[str, Figures] = {}
    for share_of_it in (0.0, 0.1, 0.2, 0.3, 0.5):
        with patch.object(calibration, "USUAL", share_of_it), ModelIndex.open(catalog, device="cpu") as index:
            asking = Answering(index.statistics)  # as if nothing had been prepared
            with patch.object(index, "_answering", asking):
                answers = ask(index, asked.by_pictures())
        untaught = asked.untaught()
        for name, of in (
            ("chose", [answer for answer in answers if answer.target not in untaught]),
            ("chose nothing", [answer for answer in answers if answer.target in untaught]),
        ):
            figures = {**of_kind(of, checkpoints=True), **of_kind(of, checkpoints=False)}
            found[f"{share_of_it:g}, models that {name}"] = figures
    return found


def drawers_in_turn(others: Mapping[str, ModelIndex], of_all: ModelIndex) -> dict[str, Figures]:
    """Of each drawer, an index that all others have drawn in turn; and one that all have drawn, asked by hands."""
    answers = {name: ask(index, asked.by_sketches(WITHOUT_WEIGHTS[name])) for name, index in others.items()}
    answers |= {f"by hand: {name}": ask(of_all, by_hand(name)) for name in HANDS}
    return {name: of_drawings(of) for name, of in answers.items()}


def of_drawings(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    return {"right first": share(answers), "right among 5": share(answers, places=5)}


def drawers(
    index: ModelIndex, others: Mapping[str, ModelIndex], besides: Mapping[str, Draw] | None = None
) -> dict[str, Figures]:
    """Drawings by drawers that the index used and that it did not, and by hand; and what each drawer is worth at its
    best: asked of an index whose drawings are its own (`others`). `besides`: drawers with weights."""
    found: dict[str, Figures] = {}
    all_drawers = {**WITHOUT_WEIGHTS, **(besides or {})}
    unrelated_to = left_out(index, {name: asked.by_sketches(drawer) for name, drawer in all_drawers.items()})
    for name, drawer in all_drawers.items():
        asking = {name: index} | ({f"{name}, of an index of its own": others[name]} if name in others else {})
        for row, of in asking.items():
            answers = ask(of, asked.by_sketches(drawer))
            found[row] = of_drawings(answers)
        found[name]["right one left out: best called relevant"] = called_relevant(unrelated_to[name])
    for name in HANDS:
        answers = ask(index, by_hand(name))
        found[f"by hand: {name}"] = {
            **of_drawings(answers),
            "median place": {
                "value": float(np.median([a.place for a in answers])),
                "low": float("nan"),
                "high": float("nan"),
                "of": len(answers),
            },
        }
    return found


def by_hand(hand: str) -> list[Question]:
    """Things that one LoRA draws and its base does not know, drawn by a hand."""
    things = {key: model for key, model in asked.zoo_models().items() if model.category == "subject"}
    return [
        Question(
            query=Query(sketches=[draw(subject, HANDS[hand], np.random.default_rng([SEED, number, n]))]),
            target=asked.name_of(model),
        )
        for number, model in enumerate(things.values())
        for subject in [model.description.removeprefix("a picture of a ")]
        for n in range(DRAWN_EACH)
    ]


def varied(index: ModelIndex) -> dict[str, Figures]:
    """What a diverse list of six shows: the places that it takes from the plain list."""
    rows: list[tuple[str, float, float]] = []
    for question in [*asked.by_texts(), *asked.by_pictures()[::6]]:
        plain = {match.id: match for match in index.search(question.query, k=EVERY)}
        shown = index.search(question.query, k=SHOWN, diverse=True)
        sixth = plain[shown[-1].id].rank
        rows.append((question.target, sixth, float(np.mean([plain[match.id].score < 0 for match in shown]))))
    owners = np.array([target for target, *_ in rows])
    return {
        "diverse, 6": {
            "plain place of the last": interval(np.array([row[1] for row in rows], float), owners),
            "fits worse than average": interval(np.array([row[2] for row in rows]), owners),
        }
    }


def cleansing() -> dict[str, Figures]:
    """What is dropped of pictures that are their own input again, by error of intensities up to 255 and up to 1."""
    subjects = [square(image) for image in read_subjects().values()]
    rng = np.random.default_rng(SEED)
    scenes = [Image.fromarray(render(sample_scene(rng, query=True))) for _ in range(len(subjects))]
    pairs = {
        "identical": (subjects, subjects),
        "identical, after the store's compression": ([thumbnail(image) for image in subjects], subjects),
        "through the base's autoencoder and back": (decoded(scenes), scenes),
    }
    errors = {
        name: np.array([mean_squared_error(o, i) for o, i in zip(*pair, strict=True)]) for name, pair in pairs.items()
    }
    return {
        name: {
            "dropped, intensities to 255": interval((255**2 * each < UNCHANGED).astype(float), np.arange(len(each))),
            "dropped, intensities to 1": interval((each < UNCHANGED).astype(float), np.arange(len(each))),
        }
        for name, each in errors.items()
    }


def decoded(images: Sequence[Image.Image]) -> list[Image.Image]:
    """What the zoo's base would give back if it painted exactly its input: encoded and decoded again."""
    vae: Any = AutoencoderKL.from_pretrained(FOLDER / "models" / "base" / "vae")
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        back = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    values = ((back.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(each) for each in values]


def things_with_looks(index: ModelIndex) -> dict[str, Figures]:
    """A picture of a thing in no particular look, and the look in words."""
    triples = asked.things_and_looks()
    ways = {
        "picture and words": [Query(images=[picture], text=[words]) for picture, words, _ in triples],
        "words alone": [Query(text=[words]) for _, words, _ in triples],
        "picture alone": [Query(images=[picture]) for picture, _, _ in triples],
    }
    found: dict[str, Figures] = {}
    for name, queries in ways.items():
        questions = [Question(query=q, target=t[2]) for q, t in zip(queries, triples, strict=True)]
        answers = ask(index, questions)
        found[name] = {"right first": share(answers), "right among 5": share(answers, places=5)}
    return found
