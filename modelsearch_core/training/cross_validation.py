"""Chooses how learned matching is parameterised, and whether it is of use, on models that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..embedding import Features
from ..evaluation import mean_reciprocal_rank, top_k_accuracy
from ..scores.matching import Matrix
from .matching import PARAMETERISATIONS, SCORES, FirstMoment, GaussianDensity, Numbers, OnStep, Round, fit

STEPS = (100, 500)  # of training, to choose from
FOLDS = 5
WORTH = 0.01  # of MRR


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What cross-validation found: MRR and top-1 on unseen models, plain and as the other folds would have chosen."""

    parameterisation: str
    steps: int
    plain: NDArray[np.floating]  # (FOLDS, 2): MRR, top-1
    learned: NDArray[np.floating]
    every: dict[str, float]  # mean MRR by "parameterisation, steps"

    @property
    def is_better(self) -> bool:
        """Whether the mean gain in MRR is worth it, and above twice its standard error."""
        gain = (self.learned - self.plain)[:, 0]
        return bool(gain.mean() > max(WORTH, 2 * gain.std(ddof=1) / np.sqrt(len(gain))))


def choose(
    rounds: Sequence[Round],
    score: str,
    *,
    steps: Sequence[int] = STEPS,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Choice:
    """Cross-validation over models: trained on some, asked for the others among all."""
    scorers = [SCORES[score](r) for r in rounds]
    tried = list(product(PARAMETERISATIONS, steps))
    plain, learned = np.zeros((FOLDS, 2)), np.zeros((FOLDS, len(tried), 2))
    for fold, (training, unseen) in enumerate(split(len(rounds[0].offsets) - 1, FOLDS, seed)):
        plain[fold] = _figures(rounds, unseen, [scorer.plain for scorer in scorers])
        matrices = [
            matrix
            for parameterisation in PARAMETERISATIONS
            for matrix in fit(rounds, score, parameterisation, steps, training, seed=seed, on_step=on_step)
        ]
        for i, matrix in enumerate(matrices):
            learned[fold, i] = _figures(rounds, unseen, [_with(scorer, matrix) for scorer in scorers])
    means = learned[..., 0].mean(axis=0)
    best = int(np.argmax(means))
    every = {f"{name}, {count} steps": round(float(mrr), 4) for (name, count), mrr in zip(tried, means, strict=True)}
    parameterisation, count = tried[best]
    fair = np.stack([learned[fold, i] for fold, i in enumerate(chosen_by_others(learned[..., 0]))])
    return Choice(parameterisation=parameterisation, steps=count, plain=plain, learned=fair, every=every)


def chosen_by_others(mrr: NDArray[np.floating]) -> Numbers:
    """What the other folds would have chosen for each fold, (folds,) of (folds, tried): else the luckiest would win."""
    return np.argmax(mrr.sum(axis=0) - mrr, axis=1)


def _with(scorer: FirstMoment | GaussianDensity, matrix: Matrix) -> Callable[[Features], NDArray[np.floating]]:
    return lambda h: scorer.learned(matrix, h)


def split(M: int, folds: int, seed: int) -> Iterator[tuple[Numbers, Numbers]]:
    """(training, unseen) models of each fold."""
    order = np.random.default_rng([seed, 3]).permutation(M)
    for unseen in np.array_split(order, folds):
        yield np.sort(order[~np.isin(order, unseen)]), np.sort(unseen)


def _figures(
    rounds: Sequence[Round], unseen: Numbers, scores: Sequence[Callable[[Features], NDArray[np.floating]]]
) -> NDArray[np.floating]:
    """(MRR, top-1) of the unseen models' queries among all models."""
    found: list[tuple[float, float]] = []
    for of, score in zip(rounds, scores, strict=True):
        rows = np.flatnonzero(np.isin(of.owner, unseen))
        z = score(of.h[rows])
        found.append((mean_reciprocal_rank(z, of.owner[rows]), top_k_accuracy(z, of.owner[rows])))
    return np.nanmean(np.array(found), axis=0)
