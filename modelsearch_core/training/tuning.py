"""Tunes matching to a collection: learns from a catalog's own samples which features tell its models apart, and from
what authors say which of them words speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from ..collection import Collection
from ..errors import ModelSearchError
from ..scores.matching import Matrix
from ..specification import Evidence, Modality
from ..statistics.matching import Matching, name_of
from .cross_validation import FOLDS, STEPS, Choice, choose
from .matching import PARAMETERISATIONS, REPORT_EVERY, SCORES, OnStep, Round, fit, halves

FEWEST = 20  # models: four unseen in each fold
LEAST_SAMPLES = 8
TASKS = (
    *((modality, score) for modality in (Modality.IMAGE, Modality.SKETCH) for score in SCORES),
    (Modality.TEXT, "first_moment"),  # a text is no picture: it lies far outside of every density
)
STEPS_A_TASK = (FOLDS * len(PARAMETERISATIONS) * max(STEPS) + max(STEPS)) // REPORT_EVERY  # calls of `on_step`, at most


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was learned, and what cross-validation said of each score of each modality."""

    matching: Matching
    choices: dict[str, Choice]

    @property
    def is_better(self) -> bool:
        return len(self.matching.matrices) > 0


def tune(collection: Collection, *, force: bool = False, seed: int = 0, on_step: OnStep | None = None) -> Tuned:
    """ModelSearchError where there is too little to learn from. `force` keeps what is no better, too."""
    chosen = _learnable(collection)
    if len(chosen) < FEWEST:
        raise ModelSearchError(
            f"learned matching needs at least {FEWEST} models with {LEAST_SAMPLES} pictures each, and {len(chosen)} "
            f"of {len(collection)} have them; run `modelsearch index FOLDER`"
        )
    matrices: dict[str, Matrix] = {}
    choices: dict[str, Choice] = {}
    for name, score, rounds in _tasks(collection, chosen):
        choice = choices[name] = choose(rounds, score, steps=STEPS, seed=seed, on_step=on_step)
        if choice.is_better or force:
            matrices[name] = fit(rounds, score, choice.parameterisation, (choice.steps,), seed=seed, on_step=on_step)[
                0
            ].astype(np.float32)
    record = _record(collection, chosen, choices)
    return Tuned(matching=Matching(encoder=collection.encoder, matrices=matrices, record=record), choices=choices)


def _learnable(collection: Collection) -> list[int]:
    return [
        m
        for m, entry in enumerate(collection.entries)
        if entry.evidence is Evidence.GENERATED and entry.samples >= LEAST_SAMPLES
    ]


def _tasks(collection: Collection, chosen: list[int]) -> Iterator[tuple[str, str, list[Round]]]:
    for modality, score in TASKS:
        if modality is Modality.TEXT:
            described = [m for m in chosen if collection.words.counts[m]]
            if len(described) >= FEWEST:
                yield name_of(modality, score), score, [_described(collection, described)]
            continue
        samples = (collection.drawn_rows if modality is Modality.SKETCH else collection.rows)(chosen)
        yield name_of(modality, score), score, halves(samples.Z, samples.offsets, samples.numbers, samples.Z)


def _described(collection: Collection, chosen: list[int]) -> Round:
    """Each text of an author asks for its model."""
    samples, words = collection.rows(chosen), collection.words.some(chosen)
    return Round(Z=samples.Z, offsets=samples.offsets, h=words.Z, owner=words.owners())


def _record(collection: Collection, chosen: list[int], choices: dict[str, Choice]) -> dict[str, Any]:
    return {
        "trained": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "models": [collection.entries[m].fingerprint for m in chosen],
        "scores": {name: figures_of(choice) for name, choice in choices.items()},
    }


def figures_of(choice: Choice) -> dict[str, Any]:
    """Means over the folds, of models that were not trained on."""
    plain, learned = choice.plain.mean(axis=0), choice.learned.mean(axis=0)
    return {
        "parameterisation": choice.parameterisation,
        "steps": choice.steps,
        "plain": {"mrr": float(plain[0]), "top1": float(plain[1])},
        "learned": {"mrr": float(learned[0]), "top1": float(learned[1])},
        "better": choice.is_better,
        "every": choice.every,
    }


def default_file(catalog: Path) -> Path:
    """Beside the catalog, so that both move together."""
    return catalog.with_name(f"{catalog.stem}.matching.safetensors")
