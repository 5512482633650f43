"""Learned matching on models whose features are drowned in what they have in common, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modelsearch_core.embedding import unit
from modelsearch_core.training.cross_validation import choose, chosen_by_others, split
from modelsearch_core.training.matching import PARAMETERISATIONS, SCORES, Round, Transformation, fit, halves

M, S, D = 25, 12, 10


def samples(seed: int, telling: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of models that differ in the first `telling` features only; the others are chance, and stronger."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((M, 1, D))
    centres[:, :, :telling] = rng.normal(0, 0.5, (M, 1, telling))
    spread = np.r_[np.full(telling, 0.25), np.full(D - telling, 1.0)]
    Z = unit((centres + rng.normal(size=(M, S, D)) * spread + 0.5).reshape(M * S, D).astype(np.float32))
    return Z, np.arange(M + 1) * S, np.tile(np.arange(S), M)


def rounds(seed: int = 0, telling: int = 5) -> list[Round]:
    Z, offsets, numbers = samples(seed, telling)
    return halves(Z, offsets, numbers, Z)


def test_no_query_is_behind_a_statistic():
    Z, offsets, numbers = samples(0, 5)
    first, second = halves(Z, offsets, numbers, np.arange(M * S)[:, None].astype(np.float32))
    asked = [set(r.h[:, 0].astype(int)) for r in (first, second)]
    assert asked[0] | asked[1] == set(range(M * S)) and not asked[0] & asked[1]
    assert not {tuple(row) for row in first.Z} & {tuple(Z[i]) for i in asked[0]}
    assert {i % S for i in asked[0]}.isdisjoint({i % S for i in asked[1]})


def test_a_model_with_a_picture_too_few_asks_nothing():
    Z, numbers = unit(np.eye(D, dtype=np.float32)[[0, 1, 2, 3, 4]]), np.array([0, 1, 2, 3, 0])
    for r in halves(Z, np.array([0, 4, 5]), numbers, Z):
        assert set(r.owner) == {0} and list(np.diff(r.offsets)) == [2, 1]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_it_begins_as_the_plain_score(score: str, parameterisation: str):
    of = rounds()[0]
    scorer = SCORES[score](of)
    network = Transformation(parameterisation, D, inverted=SCORES[score].inverted(parameterisation))
    logits = scorer.logits(network, torch.from_numpy(of.h[:7]), np.arange(M)).detach().numpy()
    difference = logits - scorer.plain(of.h[:7])
    assert np.abs(difference - difference.mean()).max() < 2e-2  # the same constant for all


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_what_it_learns_is_what_it_answers_with(score: str, parameterisation: str):
    of = rounds()[0]
    matrix = fit([of], score, parameterisation, (20,))[0]
    scorer, h = SCORES[score](of), torch.from_numpy(of.h[:7])
    B = torch.from_numpy(matrix)
    logits = scorer.logits(lambda rows: rows * B if B.ndim == 1 else rows @ B.T, h, np.arange(M)).numpy()
    difference = logits - scorer.learned(matrix, of.h[:7])
    assert np.abs(difference - difference.mean()).max() < 5e-2
    if parameterisation == "triangular":
        assert np.allclose(np.triu(matrix, 1), 0) and not np.allclose(matrix, np.eye(D))


def test_training_is_the_same_again():
    one, two = (fit(rounds(), "first_moment", "full", (5, 10)) for _ in range(2))
    assert len(one) == 2 and all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("score", SCORES)
def test_unseen_models_are_found_better(score: str):
    choice = choose(rounds(), score, steps=(100,))
    assert choice.is_better and choice.learned[:, 0].mean() > choice.plain[:, 0].mean() + 0.03
    assert set(choice.every) == {f"{name}, 100 steps" for name in PARAMETERISATIONS}


def test_models_that_do_not_differ_are_not_learned():
    choice = choose(rounds(telling=0), "first_moment", steps=(100,))
    assert abs(choice.learned[:, 1].mean() - 1 / M) < 0.05 and not choice.is_better


def test_every_model_is_unseen_once():
    parts = list(split(13, 5, 0))
    assert sorted(m for _, unseen in parts for m in unseen) == list(range(13))
    assert all(set(training) | set(unseen) == set(range(13)) for training, unseen in parts)
    assert all(not set(training) & set(unseen) for training, unseen in parts)


def test_a_fold_has_no_say_in_what_it_measures():
    mrr = np.array([[0.9, 0.1, 0.6], [0.1, 0.2, 0.6], [0.1, 0.3, 0.6]])
    assert list(chosen_by_others(mrr)) == [2, 2, 2]
    assert list(chosen_by_others(np.array([[0.9, 0.0], [0.0, 0.1], [0.0, 0.1]]))) == [1, 0, 0]
