"""Learned matching (docs/methods.md 3): 5-fold cross-validation over all models, and 30 LoRA for training against the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from modelsearch_core.collection import Samples
from modelsearch_core.training.cross_validation import STEPS, choose
from modelsearch_core.training.matching import SCORES, Round, fit, halves
from modelsearch_core.training.tuning import figures_of

from .collection import Indexed, Questions
from .content import described, figures


def run(of: Indexed) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, score, rounds in tasks(of):
        choice = choose(rounds, score, steps=STEPS)
        found[f"{name}, {score}"] = {"five folds": figures_of(choice)}
        if name != "text":
            found[f"{name}, {score}"]["30 LoRA"] = transferred(of, name, score, choice.parameterisation, choice.steps)
        print(f"learned: {name}, {score}", flush=True)
    return found


def tasks(of: Indexed) -> Iterator[tuple[str, str, list[Round]]]:
    """Pictures; drawings against pictures, as in the paper; drawings against the samples' drawings; texts."""
    for score in SCORES:
        for name in ("image", "sketch of pictures", "sketch"):
            yield name, score, rounds_of(of, name, list(range(len(of.collection))))
    yield "text", "first_moment", [_texts(of)]


def rounds_of(of: Indexed, name: str, models: list[int]) -> list[Round]:
    pictures, drawings = (samples.some(models) for samples in (of.collection.samples, of.collection.drawings))
    known, asked = _sides(name, pictures, drawings)
    return halves(known.Z, known.offsets, known.numbers, asked.Z)


def _sides(name: str, pictures: Samples, drawings: Samples) -> tuple[Samples, Samples]:
    """What statistics are made of, and what asks."""
    return {"image": (pictures, pictures), "sketch": (drawings, drawings), "sketch of pictures": (pictures, drawings)}[
        name
    ]


def transferred(of: Indexed, name: str, score: str, parameterisation: str, steps: int) -> dict[str, Any]:
    """Learned on the training LoRA alone; asked with the held-out pictures of all models that it has not seen."""
    matrix = fit(rounds_of(of, name, [int(m) for m in of.training]), score, parameterisation, (steps,))[0]
    questions = of.questions.of(np.flatnonzero(~np.isin(of.questions.owner, of.training)))
    known = _sides(name, of.collection.samples, of.collection.drawings)[0]
    scorer = SCORES[score](Round(Z=known.Z, offsets=known.offsets, h=known.Z[:0], owner=np.empty(0, np.intp)))
    h = _asked(name, questions)
    return {
        "queries": len(questions.owner),
        "plain": figures(scorer.plain(h), questions.owner),
        "learned": figures(scorer.learned(matrix, h), questions.owner),
    }


def _asked(name: str, questions: Questions) -> np.ndarray:
    return questions.h if name == "image" else questions.drawn


def _texts(of: Indexed) -> Round:
    """The description of each model that has one to itself."""
    texts, right = described(of)
    single = [(text, int(np.flatnonzero(row)[0])) for text, row in zip(texts, right, strict=True) if row.sum() == 1]
    samples = of.collection.samples
    h = of.encoder.encode_texts([text for text, _ in single])
    owner = np.array([m for _, m in single], np.intp)
    return Round(Z=samples.Z, offsets=samples.offsets, h=h, owner=owner)
