"""How well concepts find outputs, from responses alone: the paper's protocol on the small classifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import baselines
from modelsearch_core.embedding import unit
from modelsearch_core.scores import logits

Array = NDArray[np.floating]
R, NEIGHBOURS = logits.R, logits.NEIGHBOURS
ROUNDS = 200  # of the bootstrap over models
BEST = 200  # first outputs of an answer, some of which are in every collection that is drawn
LONGEST = 400  # probes that any method looks at


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Of all outputs of the zoo to one probe set. `probes` and `background` are features of one encoder."""

    phi: Array  # (L, n)
    owner: NDArray[np.integer]  # (L,) model
    concept: NDArray[np.integer]  # (L,) what it was trained to know
    area: Array  # (L,) how well it knows it
    probes: Array  # (n, D)
    background: Array  # (B, D)

    @cached_property
    def _longest(self) -> logits.Top:
        return logits.most_exciting(self.phi, min(LONGEST, self.phi.shape[1]))

    def top(self, r: int) -> logits.Top:
        """Each output's r highest probes."""
        longest = self._longest
        return longest._replace(a=longest.a[:, :r], z=longest.z[:, :r])

    def first(self, n: int) -> Answers:
        return replace(self, phi=self.phi[:, :n], probes=self.probes[:n])

    def cosines(self, concepts: Array) -> Array:
        """φ_text (C, n)."""
        return concepts @ self.probes.T


def probelog(answers: Answers, concepts: Array, *, r: int = R, k: int = NEIGHBOURS, calibrate: bool = True) -> Array:
    """A score (C, L): nearness by equations 5 and 6."""
    top = answers.top(r)
    distance = logits.truncated_distance(top, logits.standardised(answers.cosines(concepts)))
    return -_less_hubs(distance, lambda: _to_background(answers, top), k, calibrate)


def all_probes(answers: Answers, concepts: Array, *, k: int = NEIGHBOURS, calibrate: bool = True) -> Array:
    distance = baselines.all_probes_distance(answers.phi, answers.cosines(concepts))
    background = lambda: baselines.all_probes_distance(answers.phi, answers.cosines(answers.background))  # noqa: E731
    return -_less_hubs(distance, background, k, calibrate)


def mutual_information(answers: Answers, concepts: Array, measure: Callable[..., Array]) -> Array:
    """WPMI or SoftWPMI among the concepts asked and the background's."""
    a = answers.top(100).a
    return measure(a, answers.cosines(np.concatenate([concepts, answers.background])))[: len(concepts)]


METHODS: Mapping[str, Callable[[Answers, Array], Array]] = {
    "WPMI": lambda a, c: mutual_information(a, c, baselines.wpmi),
    "SoftWPMI": lambda a, c: mutual_information(a, c, baselines.soft_wpmi),
    "all probes": lambda a, c: all_probes(a, c, calibrate=False),
    "all probes, calibrated": lambda a, c: all_probes(a, c),
    "truncated, not calibrated": lambda a, c: probelog(a, c, calibrate=False),
    "ProbeLog": lambda a, c: probelog(a, c),
}


def found(scores: Array, answers: Answers, asked: NDArray[np.integer]) -> dict[str, float]:
    """top-1 and top-5 of the concepts asked (T,), scores (T, L), with a 95 % interval of top-1 over models."""
    order = np.argsort(-scores, axis=1, kind="stable")
    right = answers.concept[order] == asked[:, None]
    known = right.any(axis=1)
    low, high = _interval(order, answers, asked)
    return {
        "top1": float(right[known, 0].mean()),
        "top5": float(right[known, :5].any(axis=1).mean()),
        "low": low,
        "high": high,
        "queries": int(known.sum()),
    }


def by_pictures(
    answers: Answers, pictures: Array, count: int, draws: int, seed: int = 0
) -> tuple[Array, NDArray[np.integer]]:
    """Concepts as means of `count` held-out pictures (C, P, D), `draws` times: features, and which concept each is."""
    rng = np.random.default_rng(seed)
    drawn, asked = [], []
    for _ in range(draws):
        for concept, rows in enumerate(pictures):
            drawn.append(unit(rows[rng.permutation(len(rows))[:count]].mean(axis=0)))
            asked.append(concept)
    return np.stack(drawn), np.array(asked)


def quality(scores: Array, answers: Answers, zero_shot: Array) -> dict[str, Any]:
    """The paper's claim: what comes first knows its concept best. scores (C, L); zero_shot (C,) areas of CLIP itself."""
    order = np.argsort(-scores, axis=1, kind="stable")
    first, correlations = [], []
    for concept, row in enumerate(order):
        right = row[answers.concept[row] == concept]
        if len(right):
            first.append(answers.area[right[0]])
        if len(right) >= 5:
            correlations.append(spearman(-np.arange(len(right)), answers.area[right]))
    return {
        "all": float(answers.area.mean()),
        "first": float(np.mean(first)),
        "clip": float(zero_shot.mean()),
        "correlation": float(np.mean(correlations)),
        "concepts": len(correlations),
    }


def hubs(scores: Array) -> int:
    """How few outputs answer half of all concepts."""
    counts = np.sort(np.bincount(scores.argmax(axis=1)))[::-1]
    return int(np.searchsorted(np.cumsum(counts), len(scores) / 2) + 1)


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(np.stack(ranks))[0, 1])


def _to_background(answers: Answers, top: logits.Top) -> Array:
    return logits.truncated_distance(top, logits.standardised(answers.cosines(answers.background)))


def _less_hubs(distance: Array, background: Callable[[], Array], k: int, calibrate: bool) -> Array:
    return distance - logits.hubness(background(), k) if calibrate else distance


def _interval(order: NDArray[np.integer], answers: Answers, asked: NDArray[np.integer]) -> tuple[float, float]:
    """Of top-1, over collections drawn from the models."""
    rng = np.random.default_rng(0)
    models = int(answers.owner.max()) + 1
    measured: list[float] = []
    for _ in range(ROUNDS):
        inside = np.isin(np.arange(models), rng.integers(models, size=models))[answers.owner]
        first = order[:, :BEST]
        best = first[np.arange(len(first)), inside[first].argmax(axis=1)]
        known = np.isin(asked, np.unique(answers.concept[inside]))
        measured.append(float((answers.concept[best] == asked)[known].mean()))
    low, high = np.quantile(measured, [0.025, 0.975])
    return float(low), float(high)


def sweep(name: str, values: Sequence[Any], one: Callable[[Any], dict[str, float]]) -> list[dict[str, Any]]:
    return [{name: value, **one(value)} for value in values]
