"""Epochs, copies and merges, told by the Gram matrix of what LoRA change."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from modelsearch_core.scores.kinship import Kinship, Parts, kinship, parts_of

UNLIKE = 0.6


def gram(*rows: np.ndarray) -> np.ndarray:
    return np.array(rows) @ np.array(rows).T


def strangers(n: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(size=(n, 400)))


def test_two_updates_are_one_by_their_cosine_and_equally_much_by_their_lengths():
    assert kinship(0.999, 1.01) is Kinship.COPY
    assert kinship(0.999, 1.5) is kinship(0.999, 0.5) is Kinship.SCALED
    assert kinship(0.99, 1.0) is Kinship.TRAINING


def test_a_merge_is_taken_apart_into_what_least_squares_say():
    a, b, *others = strangers(8)
    rng = np.random.default_rng(5)
    merged = 0.7 * a + 0.4 * b + 0.1 * rng.normal(size=400)
    found = parts_of(gram(merged, *others, b, a), 0, UNLIKE)
    assert found is not None
    weights, left, *_ = np.linalg.lstsq(np.array([a, b]).T, merged, rcond=None)
    assert {found.a: found.alpha, found.b: found.beta} == {8: pytest.approx(weights[0]), 7: pytest.approx(weights[1])}
    assert found.explained == pytest.approx(1 - left[0] / (merged @ merged))


def test_a_part_of_a_merge_is_no_merge_itself():
    """It is the merge less the other part."""
    a, b = strangers(2)
    G = gram(0.7 * a + 0.4 * b, a, b)
    assert parts_of(G, 0, UNLIKE) == Parts(1, 2, pytest.approx(0.7), pytest.approx(0.4), pytest.approx(1))
    assert parts_of(G, 1, UNLIKE) is None
    assert parts_of(G, 2, UNLIKE) is None


def test_an_epoch_between_two_others_is_no_merge_of_them():
    common, first, second = np.eye(3)
    early, last = 3**0.5 * common + first, 3**0.5 * common + second
    G = gram(early, (early + last) / 2, last)
    cosine = 0.75
    assert parts_of(G, 1, cosine - 0.01) is None
    assert parts_of(G, 1, cosine + 0.01) is not None  # but for that it would be one


@pytest.mark.parametrize("share", [0.9, 0.1])
def test_a_part_that_adds_little_makes_no_merge(share: float):
    a, b, *_ = np.eye(3)
    assert parts_of(gram(share * a + (1 - share) * b, a, b), 0, UNLIKE) is None  # .0122 of it


def test_a_part_that_adds_less_than_what_is_left_makes_no_merge():
    a, b, c = np.eye(3)
    assert parts_of(gram(a + 0.3 * b + 0.29 * c, a, b), 0, UNLIKE) is not None
    assert parts_of(gram(a + 0.3 * b + 0.31 * c, a, b), 0, UNLIKE) is None


def test_strangers_and_nothing_are_no_merges():
    assert [parts_of(gram(*strangers(20)), c, UNLIKE) for c in range(20)] == [None] * 20
    nothing = np.zeros(400)
    assert parts_of(gram(nothing, *strangers(3)), 0, UNLIKE) is None
    a, b = strangers(2)
    assert parts_of(gram(a + b, a, nothing, b), 0, UNLIKE) is not None
    assert parts_of(gram(a), 0, UNLIKE) is None
    assert parts_of(gram(a + b, a, a), 0, UNLIKE) is None


def test_half_of_what_is_merged_from_elsewhere_is_too_much():
    a, b, c = strangers(3)
    assert parts_of(gram(a + b + 1.5 * c, a, b), 0, UNLIKE) is None


def by_least_squares(rows: np.ndarray, among: int) -> Parts | None:
    """Of the first row, by fitting every two of the `among` others that are most alike."""
    merged, found = rows[0], []
    cosines = [merged @ row / np.linalg.norm(row) for row in rows[1:]]
    near = [1 + i for i in np.argsort(cosines)[::-1][:among] if cosines[i] > 0]
    share = {i: (merged @ rows[i]) ** 2 / (rows[i] @ rows[i]) / (merged @ merged) for i in near}
    for a, b in combinations(near, 2):
        weights, left, *_ = np.linalg.lstsq(rows[[a, b]].T, merged, rcond=None)
        explained = 1 - left[0] / (merged @ merged)
        cosine = rows[a] @ rows[b] / np.linalg.norm(rows[a]) / np.linalg.norm(rows[b])
        adds = explained - max(share[a], share[b])
        if min(weights) > 0 and cosine < UNLIKE and explained >= 0.8 and adds >= max(0.02, 1 - explained):
            found.append(Parts(a, b, *weights, explained))
    return max(found, key=lambda parts: parts.explained, default=None)


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_parts_are_the_best_two_of_the_nearest_whatever_their_lengths(monkeypatch: pytest.MonkeyPatch, scale: float):
    monkeypatch.setattr("modelsearch_core.scores.kinship.AMONG", 4)
    rng, merges = np.random.default_rng(7), 0
    for _ in range(300):
        rows = scale * rng.normal(size=(7, 5)) * np.exp(rng.normal(size=(7, 1)))
        rows[0] = rows[1] * rng.random() + rows[2] * rng.random() + 0.2 * scale * rng.normal(size=5)
        expected, found = by_least_squares(rows, 4), parts_of(gram(*rows), 0, UNLIKE)
        assert (found is None) == (expected is None)
        if found and expected:
            merges += 1
            assert {found.a: found.alpha, found.b: found.beta} == {
                expected.a: pytest.approx(expected.alpha),
                expected.b: pytest.approx(expected.beta),
            }
            assert found.explained == pytest.approx(expected.explained)
    assert 50 < merges < 250
