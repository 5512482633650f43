"""Content-based search (docs/methods.md 2): pictures, line drawings, texts, pictures with texts, models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelsearch_core.embedding import unit
from modelsearch_core.evaluation import average_rank, mean_average_precision, mean_reciprocal_rank, top_k_accuracy
from modelsearch_core.ranking import combine
from modelsearch_core.scores import content

from .collection import Asker, Indexed, Numbers, Questions, Scores

PICTURES = (
    "auto", "first_moment", "monte_carlo", "best_k", "gaussian", "second_moment", "paired_difference", "rkme_clip",
    "kernel_mean", "prompted_kernel_mean", "rkme_concat", "auto, with the prompt",
)  # fmt: skip
SKETCHES = (
    "auto", "first_moment", "monte_carlo", "best_k", "gaussian", "drawn_first_moment", "drawn_gaussian",
    "paired_difference",
)  # fmt: skip
TEXTS = ("auto", "first_moment", "monte_carlo", "best_k", "paired_difference")
CURVE = (8, 16, 32, 64, 128, 256, 512)


def figures(scores: Scores, targets: Numbers) -> dict[str, float]:
    """Top-1/5/10, MRR (which is mAP where one model is right) and average rank."""
    return {
        "top1": top_k_accuracy(scores, targets, 1),
        "top5": top_k_accuracy(scores, targets, 5),
        "top10": top_k_accuracy(scores, targets, 10),
        "mrr": mean_reciprocal_rank(scores, targets),
        "rank": average_rank(scores, targets),
    }


def run(of: Indexed) -> dict[str, Any]:
    asker = Asker(of)
    return {
        "models": len(of.collection),
        "loras": len(of.loras),
        "checkpoints": len(of.checkpoints),
        "queries": len(of.questions.owner),
        "image": pictures(asker, PICTURES),
        "sketch": sketches(asker, SKETCHES),
        "text": texts(asker, TEXTS),
        "image and text": pictures_with_texts(asker),
        "model": models(of),
        "categories": categories(asker),
    }


def pictures(asker: Asker, methods: Sequence[str]) -> dict[str, dict[str, float]]:
    """The methods that weigh samples by words get the words that the pictures were made with."""
    prompts = asker.of.encoder.encode_texts(asker.of.questions.prompts)
    return {
        method: figures(asker.pictures(method, asker.of.questions, prompts), asker.of.questions.owner)
        for method in methods
    }


def sketches(asker: Asker, methods: Sequence[str]) -> dict[str, dict[str, float]]:
    questions = asker.of.questions
    return {method: figures(asker.sketches(method, questions), questions.owner) for method in methods}


def described(of: Indexed) -> tuple[list[str], np.ndarray]:
    """One description a model, and which models it is right for (T, M): some look alike in words."""
    descriptions = [record["description"] for record in of.records]
    asked = sorted({text for text in descriptions if text})
    return asked, np.array([[text == other for other in descriptions] for text in asked])


def texts(asker: Asker, methods: Sequence[str]) -> dict[str, dict[str, float]]:
    asked, right = described(asker.of)
    return {method: of_several(asker.texts(method, asked), right) for method in methods}


def of_several(scores: Scores, right: np.ndarray) -> dict[str, float]:
    """Where several models may be right: whether the best of them is among the first, and mAP."""
    best = np.where(right, scores, -np.inf).argmax(axis=1)
    others = np.where(right, -np.inf, scores)
    others[np.arange(len(best)), best] = scores[np.arange(len(best)), best]
    return figures(others, best) | {"map": mean_average_precision(scores, right)}


def pictures_with_texts(asker: Asker) -> dict[str, dict[str, float]]:
    """A picture that the plain base made of the thing, and the look in words: section 5 of the paper has pairs, too.

    Asked of the LoRA that keep to one or two things; the picture shows another of these things in no particular look.
    """
    of = asker.of
    base = next(m for m, record in enumerate(of.records) if record["category"] == "base")
    shown_in = {int(m): _row_showing(of, base, of.records[m]["subjects"][0]) for m in of.of("subject")}
    targets = np.array([m for m, row in shown_in.items() if row is not None], np.intp)
    if not len(targets):
        return {}
    rows = [row for row in shown_in.values() if row is not None]
    looks = [of.records[m]["description"].split(", ", 1)[1] for m in targets]
    Z = np.asarray(of.collection.specification(base).Z, np.float32)
    shown = Questions(unit(Z[rows]), unit(Z[rows]), [""] * len(rows), targets)
    by_picture, by_text = asker.pictures("auto", shown), asker.texts("auto", looks)
    both = combine([(by_picture, 1.0), (by_text, 1.0)])
    return {
        "picture and text": figures(both, targets),
        "picture alone": figures(by_picture, targets),
        "text alone": figures(by_text, targets),
    }


def _row_showing(of: Indexed, base: int, subject: str) -> int | None:
    """A sample of the base that was asked for the subject."""
    numbers = of.collection.specification(base).numbers
    prompts = (of.collection.prompt(base, int(n)) for n in numbers)
    return next((row for row, prompt in enumerate(prompts) if f" {subject} " in f" {prompt} "), None)


def models(of: Indexed) -> dict[str, dict[str, float]]:
    """A model is asked for by the mean of its held-out pictures, as if it were another file of the same make."""
    questions = of.questions
    asking = np.unique(questions.owner)
    means = np.stack([questions.h[questions.owner == m].mean(axis=0) for m in asking])
    gallery = content.means(of.collection.samples.Z, of.collection.samples.offsets)
    centred = _cosines(gallery - gallery.mean(axis=0), means - means.mean(axis=0))
    return {
        "cosine of means": figures(_cosines(gallery, means), asking),
        "less the collection's mean": figures(centred, asking),
    }


def _cosines(gallery: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(T, M)"""
    return content.first_moment(unit(gallery), unit(means))


def categories(asker: Asker) -> dict[str, dict[str, float]]:
    """Which sorts of models are found by pictures."""
    of = asker.of
    z, owner = asker.pictures("auto", of.questions), of.questions.owner
    found: dict[str, dict[str, float]] = {}
    for category in sorted({record["category"] for record in of.records}):
        rows = np.flatnonzero(np.isin(owner, of.of(category)))
        if len(rows):
            found[category] = {"models": len(of.of(category)), **figures(z[rows], owner[rows])}
    return found


def curve(of: Indexed, most: int) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by method and number of samples: `image`, `sketch` and `text`."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for S in (S for S in CURVE if most >= S):
        asker = Asker(of, of.with_samples(S))
        tables = {
            "image": pictures(asker, PICTURES),
            "sketch": sketches(asker, SKETCHES),
            "text": texts(asker, TEXTS),
        }
        for kind, table in tables.items():
            for method, row in table.items():
                found.setdefault(f"{kind} {method}", {})[str(S)] = row
        print(f"curve: {S} samples", flush=True)
    return found


def restricted(questions: Questions, models: Numbers) -> Questions:
    """Those of some models."""
    return questions.of(np.flatnonzero(np.isin(questions.owner, models)))
