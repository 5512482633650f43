"""What the defaults were chosen by: densities, calibration, differences, how much style, which methods together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from modelsearch_core.collection import EVIDENCE_ORDER
from modelsearch_core.ranking import WORDS_WEIGHT, combine, fuse
from modelsearch_core.scores import calibration, gaussian
from modelsearch_core.search.banks import Queries, bank
from modelsearch_core.specification import Modality

from .collection import SAMPLES, Asker, Indexed
from .content import described, figures, of_several, restricted

RANKS = (4, 8, 16, 32, 63)
FLOORS = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2)
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TOGETHER = ("first_moment", "best_k", "monte_carlo", "gaussian", "paired_difference", "rkme_clip")
TOGETHER_DRAWN = ("first_moment", "drawn_first_moment", "drawn_gaussian", "paired_difference")


def run(of: Indexed) -> dict[str, Any]:
    asker = Asker(of)
    found = {
        "densities": densities(of),
        "calibration": calibrated(asker),
        "differences": differences(asker),
        "words": words(asker),
        "yardsticks": yardsticks(of),
        "fusion": {"image": fused_pictures(asker), "sketch": fused_sketches(asker), "text": fused_texts(asker)},
    }
    return found | ({"style share": style_shares(asker)} if of.statistics.styles.has_renderings.any() else {})


def densities(of: Indexed) -> dict[str, dict[str, float]]:
    """Rank and floor of the low-rank Gaussian, for pictures and line drawings (of the samples' drawings)."""
    found: dict[str, dict[str, float]] = {}
    for kind, samples, h in (
        ("image", of.collection.samples, of.questions.h),
        ("sketch", of.collection.drawings, of.questions.drawn),
    ):
        for rank, floor in itertools.product(RANKS, FLOORS):
            fitted = gaussian.fit(samples.Z, samples.offsets, rank, floor)
            scores = gaussian.log_density(fitted, h)
            found[f"{kind}, rank {rank}, floor {floor:g}"] = figures(scores, of.questions.owner)
    return found


def calibrated(asker: Asker) -> dict[str, dict[str, float]]:
    """With and without taking hubs off, and how skewed N_10 of the bank is."""
    found: dict[str, dict[str, float]] = {}
    of = asker.of
    for modality, h in ((Modality.IMAGE, of.questions.h), (Modality.SKETCH, of.questions.drawn)):
        unrelated = bank(of.statistics, modality)
        for method in ("first_moment", "best_k", "gaussian"):
            judges = asker.answering.measuring.judges()
            background = unrelated.masked(judges(method, unrelated), judges.models)
            scores = judges(method, Queries(modality=modality, h=h))
            without = scores - calibration.ALPHA * calibration.hub_bias(background)
            found[f"{modality.value}, {method}"] = {
                "skewness": calibration.n10_skewness(background),
                "off": figures(scores, of.questions.owner)["mrr"],
                "on": figures(without, of.questions.owner)["mrr"],
            }
    return found


def yardsticks(of: Indexed) -> dict[str, dict[str, float]]:
    """Each kind's scores measured by what is usual for its kind, as in the product, and all kinds by one measure."""
    found: dict[str, dict[str, float]] = {}
    for name in ("kinds apart", "kinds together"):
        statistics = of.with_samples(SAMPLES)
        if name == "kinds together":
            entries = statistics.collection.entries
            statistics.collection.__dict__["groups"] = np.array([EVIDENCE_ORDER.index(e.evidence) for e in entries])
        asker = Asker(of, statistics)
        for method in ("auto", "first_moment", "gaussian"):
            found[f"{method}, {name}"] = figures(asker.pictures(method, of.questions), of.questions.owner)
    return found


def differences(asker: Asker) -> dict[str, dict[str, float]]:
    """Paired differences against plain features, of LoRA alone."""
    of = asker.of
    questions = restricted(of.questions, of.loras)
    place = {int(m): i for i, m in enumerate(of.loras)}
    targets = np.array([place[int(m)] for m in questions.owner])
    asked, right = described(of)
    known = right[:, of.loras].any(axis=1)
    texts = [text for text, there in zip(asked, np.atleast_1d(known), strict=True) if there]
    found: dict[str, dict[str, float]] = {}
    for method in ("first_moment", "paired_difference"):
        found[f"image, {method}"] = figures(asker.pictures(method, questions)[:, of.loras], targets)
        found[f"text, {method}"] = of_several(asker.texts(method, texts)[:, of.loras], right[known][:, of.loras])
    both = combine([(asker.texts(m, texts)[:, of.loras], 1.0) for m in ("first_moment", "paired_difference")])
    return found | {"text, both": of_several(both, right[known][:, of.loras])}


def words(asker: Asker) -> dict[str, dict[str, float]]:
    """Whether the authors' words, here nothing but file names, may speak against a model."""
    asked, right = described(asker.of)
    weights = asker.answering.weights(Modality.TEXT)
    measured = combine([(asker.texts(name, asked), weight) for name, weight in weights.items()])
    said = asker.answering.measuring.words(asker.of.encoder.encode_texts(asked), asker.of.collection.all)
    z = asker.answering.measuring.words_yardstick().z(said)
    both_ways = (measured + WORDS_WEIGHT * np.nan_to_num(z)) / np.hypot(1, WORDS_WEIGHT)
    tried = {"none": measured, "for and against": both_ways, "for a model only": fuse(measured, z)}
    return {name: of_several(scores, right) for name, scores in tried.items()}


def fused_pictures(asker: Asker) -> dict[str, dict[str, float]]:
    z = {name: asker.pictures(name, asker.of.questions) for name in TOGETHER}
    return _pairs(z, lambda scores: figures(scores, asker.of.questions.owner))


def fused_sketches(asker: Asker) -> dict[str, dict[str, float]]:
    z = {name: asker.sketches(name, asker.of.questions) for name in TOGETHER_DRAWN}
    return _pairs(z, lambda scores: figures(scores, asker.of.questions.owner))


def fused_texts(asker: Asker) -> dict[str, dict[str, float]]:
    asked, right = described(asker.of)
    z = {name: asker.texts(name, asked) for name in ("first_moment", "best_k", "monte_carlo", "paired_difference")}
    return _pairs(z, lambda scores: of_several(scores, right))


def _pairs(z: dict[str, np.ndarray], measured: Any) -> dict[str, dict[str, float]]:
    """Each alone and every two in equal parts, best MRR first."""
    found = {name: measured(scores) for name, scores in z.items()}
    for a, b in itertools.combinations(z, 2):
        found[f"{a} + {b}"] = measured(combine([(z[a], 1.0), (z[b], 1.0)]))
    return dict(sorted(found.items(), key=lambda item: -item[1]["mrr"]))


def style_shares(asker: Asker) -> dict[str, dict[str, float]]:
    """How much style beside content in `auto`, by sort of LoRA."""
    of = asker.of
    questions = restricted(of.questions, of.loras)
    content = asker.answering.weights(Modality.IMAGE, 0.0)
    plain = combine([(asker.pictures(name, questions), weight) for name, weight in content.items()])
    style = asker.pictures("style", questions)
    found: dict[str, dict[str, float]] = {}
    for share in SHARES:
        z = combine([(plain, 1 - share), (style, share)]) if 0 < share < 1 else (style if share else plain)
        found[f"all LoRA, {share:g}"] = figures(z, questions.owner)
        for category in ("style", "coloured", "palette", "subject"):
            rows = np.flatnonzero(np.isin(questions.owner, of.of(category)))
            if len(rows):
                found[f"{category}, {share:g}"] = figures(z[rows], questions.owner[rows])
    return found
