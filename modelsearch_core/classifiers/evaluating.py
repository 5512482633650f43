"""How far answers about classifiers can be trusted: outputs whose labels are known, asked for without their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ModelSearchError
from ..ranking import rank
from .searching import ClassifierIndex, ConceptQuery

MOST = 500


@dataclass(frozen=True, kw_only=True)
class Found:
    """Of `concepts`, the shares whose first answer, or one of the first five, bears the concept as its label."""

    concepts: int
    outputs: int
    top1: float
    top5: float

    @property
    def chance(self) -> float:
        """About top-1 of an answer by lot."""
        return 1 / max(1, self.outputs)


def by_labels(index: ClassifierIndex, most: int = MOST) -> Found:
    """Every label (at most `most`, drawn by lot) as text. ModelSearchError where no asked file has labels."""
    labelled = _labelled(index)
    labels = [index.outputs.labels[place] for place in np.unique(labelled[labelled >= 0])]
    if not labels:
        raise ModelSearchError(
            "no classifier of the index has labels to ask for; give a folder with a sub-folder of pictures a concept"
        )
    chosen = np.sort(np.random.default_rng(0).permutation(len(labels))[:most])
    return _found(index, {labels[i]: ConceptQuery(text=[labels[i]]) for i in chosen})


def by_pictures(index: ClassifierIndex, pictures: Mapping[str, Sequence[Image.Image]]) -> Found:
    """Every concept by its pictures. ModelSearchError where none of the concepts is a label of the index."""
    known = {label.casefold() for label in index.outputs.labels}
    queries = {
        name: ConceptQuery(images=images) for name, images in pictures.items() if images and name.casefold() in known
    }
    if not queries:
        raise ModelSearchError(f"none of {', '.join(list(pictures)[:5])}, ... is a label of a classifier in the index")
    return _found(index, queries)


def _found(index: ClassifierIndex, queries: Mapping[str, ConceptQuery]) -> Found:
    labelled = _labelled(index)
    names = [label.casefold() for label in index.outputs.labels]
    first, five = 0, 0
    for name, query in queries.items():
        scores = np.where(labelled >= 0, index.scores(query, labels=False), np.nan)
        best = [names[labelled[row]] for row in rank(scores, 5)]
        first, five = first + (best[0] == name.casefold()), five + (name.casefold() in best)
    return Found(
        concepts=len(queries), outputs=int((labelled >= 0).sum()), top1=first / len(queries), top5=five / len(queries)
    )


def _labelled(index: ClassifierIndex) -> NDArray[np.integer]:
    """The label of each output that was really asked, -1 for the others."""
    return np.where(index.outputs.has_responses, index.outputs.label_of, -1)
