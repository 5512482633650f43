"""What `search.certainty` has learned: `python -m benchmarks.honesty.fitting --catalog FILE`.

Asks about every second model of the procedural zoo, and again with that model out of the list, or of things that no model
here is about: then no first answer is right, and such queries count a quarter as much. Prints the logistic of each modality, and how it does on the other models.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modelsearch_core.drawing import WITHOUT_WEIGHTS
from modelsearch_core.scores import confidence
from modelsearch_core.scores.calibration import TAIL
from modelsearch_core.scores.confidence import Confidence
from modelsearch_core.search import Filters, Match, ModelIndex, Query

from . import questions as asked
from .asking import ids_of, separation
from .questions import Question

UNRELATED = 0.25  # how much queries of which no model is about count beside those of which one is
Rows = tuple[NDArray[np.floating], NDArray[np.bool_]]  # features (n, 2) and whether the first was right


def beyond(relevance: float) -> float:
    """x of a relevance: how far a match is beyond what unrelated queries find, in units of `NullDistribution`'s scale."""
    if relevance <= TAIL:
        return float(np.log(max(relevance, 1e-12) / (1 - relevance)))
    return float(np.log(TAIL / (1 - TAIL)) + (np.sqrt((1 - TAIL) / max(1 - relevance, 1e-12)) - 1) * 2 / TAIL)


def told(matches: Sequence[Match]) -> list[float]:
    """Features of an answer's two first."""
    first, second = (beyond(match.relevance) for match in matches)
    return [first, float(confidence.lead(np.asarray(first - second)))]


def related(index: ModelIndex, questions: Sequence[Question], *, there: bool = True) -> Rows:
    """With the right model in the list, or out of it."""
    ids, paths = ids_of(index), {model.id: model.path for model in index.models()}
    rows, right = [], []
    for question in questions:
        id = ids[question.target]
        others = None if there else set(paths.values()) - {paths[id]}
        matches = index.search(question.query, k=2, filters=Filters(among=others))
        rows.append(told(matches))
        right.append(matches[0].id == id)
    return np.array(rows), np.array(right)


def unrelated(index: ModelIndex, texts: Sequence[str]) -> Rows:
    rows = np.array([told(index.search(Query(text=[text]), k=2)) for text in texts])
    return rows, np.zeros(len(rows), bool)


def halves(index: ModelIndex) -> dict[str, tuple[list[Rows], list[Rows]]]:
    """(what teaches, what tests) by modality."""
    testing = asked.untaught()
    found: dict[str, tuple[list[Rows], list[Rows]]] = {}
    drawn = [question for name in WITHOUT_WEIGHTS for question in asked.by_sketches(WITHOUT_WEIGHTS[name])]
    for name, questions in (("IMAGE", asked.by_pictures()), ("SKETCH", drawn), ("TEXT", asked.by_wordings())):
        parts = [[q for q in questions if (q.target in testing) == tests] for tests in (False, True)]
        found[name] = tuple([related(index, part)] for part in parts)  # type: ignore[assignment]  # two of them
        for half, part in zip(found[name], parts, strict=True):
            if name != "TEXT":
                half.append(related(index, part, there=False))
    for turn, half in enumerate(found["TEXT"]):
        half.append(unrelated(index, [*asked.unrelated_texts()[turn::2], *asked.unrelated_prompts()[turn::2]]))
    return found


def learned(rows: Sequence[Rows]) -> Confidence:
    """Of what is asked of models that are there, and of those that are not, which count for one query in five."""
    asked_about, *about_nothing = rows
    share = UNRELATED * len(asked_about[0]) / sum(len(x) for x, _ in about_nothing)
    counts = [np.ones(len(asked_about[0])), *(np.full(len(x), share) for x, _ in about_nothing)]
    return confidence.fit(*joined(rows), np.concatenate(counts))


def joined(rows: Sequence[Rows]) -> Rows:
    return np.concatenate([x for x, _ in rows]), np.concatenate([right for _, right in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, required=True)
    with ModelIndex.open(parser.parse_args().catalog, device="cpu") as index:
        for name, (teaching, testing) in halves(index).items():
            fitted = learned(teaching)
            asked_about, all_of_them = testing[0], joined(testing)
            p, of_all = (confidence.probability(fitted, x) for x, _ in (asked_about, all_of_them))
            unlike = confidence.probability(fitted, np.concatenate([x for x, _ in testing[1:]]))
            print(f"Modality.{name}: Confidence({', '.join(f'{value:.2f}' for value in fitted)}),")
            print(
                f"  others: AUC {separation(p, asked_about[1]):.3f}, with unrelated {separation(of_all, all_of_them[1]):.3f}"
            )
            for least in (0.3, 0.35, 0.4, 0.45, 0.5, 0.6):
                nothing = unlike >= least
                print(f"  at {least}: {(p >= least).mean():.2f} of them, {nothing.mean():.2f} of unrelated")


if __name__ == "__main__":
    main()
