from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsearch_core.embedding import unit
from modelsearch_core.scores import differences


def consistency_in_loops(delta) -> float:
    n = len(delta)
    cosines = [
        delta[i] @ delta[j] / np.linalg.norm(delta[i]) / np.linalg.norm(delta[j])
        for i in range(n)
        for j in range(n)
        if i != j
    ]
    return sum(cosines) / len(cosines) if cosines else 0.0


def test_direction_strength_and_consistency_are_their_definitions(zoo):
    base = np.random.default_rng(0).standard_normal(zoo.Z.shape).astype(np.float32)
    delta = differences.differences(zoo.Z, base)
    for m, (a, b) in enumerate(zip(zoo.offsets[:-1], zoo.offsets[1:], strict=True)):
        own = (zoo.Z - base)[a:b].astype(float)
        np.testing.assert_allclose(differences.direction(delta, zoo.offsets)[m], sum(own) / len(own), atol=1e-5)
        strength = sum(sum(d * d) ** 0.5 for d in own) / len(own)
        assert differences.strength(delta, zoo.offsets)[m] == pytest.approx(strength, rel=1e-4)
        expected = consistency_in_loops(own)
        assert differences.consistency(delta, zoo.offsets)[m] == pytest.approx(expected, abs=1e-5)


def test_differences_of_other_probes_are_refused(zoo):
    with pytest.raises(ValueError, match=r"\(86, 24\) samples but \(85, 24\) base outputs"):
        differences.differences(zoo.Z, zoo.Z[1:])


def test_a_lora_that_changes_nothing_has_no_strength_and_scores_0(zoo):
    delta = differences.differences(zoo.Z, zoo.Z)
    directions = differences.direction(delta, zoo.offsets)
    assert (differences.strength(delta, zoo.offsets) == 0).all()
    assert (differences.consistency(delta, zoo.offsets) == 0).all()
    np.testing.assert_array_equal(differences.difference_score(directions, zoo.h), np.zeros((5, 6)))
    np.testing.assert_array_equal(differences.difference_score(zoo.Z, 0 * zoo.h), np.zeros((5, 86)))


def test_equal_differences_are_wholly_consistent_and_opposite_ones_the_reverse():
    d = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [1.0, 0.0], [-2.0, 0.0]])
    np.testing.assert_allclose(differences.consistency(d, np.array([0, 3, 5])), [1, -1], atol=1e-6)


@pytest.mark.parametrize(("n", "published"), [(16, 0.78), (64, 0.93), (280, 0.98)])
def test_reliability_of_the_median_lora_of_carlos_is_as_published(n, published):
    assert differences.reliability(0.09, n) == pytest.approx(published, abs=0.005)


def test_reliability_is_the_cosine_with_the_true_direction():
    rng = np.random.default_rng(0)
    D, n, c = 400, 16, 0.2
    truth = unit(rng.standard_normal(D))
    found = []
    for _ in range(100):
        noise = unit(rng.standard_normal((n, D)))
        delta = np.sqrt(c) * truth + np.sqrt(1 - c) * noise
        found.append(unit(delta.mean(axis=0)) @ truth)
    assert np.mean(found) == pytest.approx(float(differences.reliability(c, n)), abs=0.01)


@given(st.floats(0.001, 0.999), st.floats(0.05, 0.99))
def test_the_samples_needed_are_the_first_number_that_is_enough(c, r):
    n = float(differences.samples_needed(c, r))
    assert differences.reliability(c, int(n)) >= r - 1e-6
    assert n == 1 or differences.reliability(c, int(n) - 1) < r + 1e-6


@pytest.mark.parametrize("c", [0.0, -0.3])
def test_without_agreement_no_number_of_samples_is_enough(c):
    assert differences.reliability(c, 1000) == 0
    assert differences.samples_needed(c, 0.9) == np.inf


def test_full_agreement_needs_one_sample():
    assert differences.reliability(1.0, 1) == 1
    assert differences.samples_needed(1.0, 0.9) == 1
    np.testing.assert_array_equal(differences.samples_needed(np.array([1.0, 0.0]), 0.9), [1, np.inf])


@pytest.mark.parametrize("r", [0.0, 1.0, 1.5])
def test_an_unreachable_reliability_is_refused(r):
    with pytest.raises(ValueError, match="out of reach"):
        differences.samples_needed(0.1, r)


def test_a_text_s_difference_is_the_mean_over_carriers():
    templates, queries = np.eye(3)[:2], np.array([[0.0, 1.0, 1.0], [2.0, 0.0, 0.0]])
    np.testing.assert_allclose(differences.text_difference(templates, queries), [0.5, 0, 0.5])
    batch = differences.text_difference(templates, np.stack([queries, templates]))
    np.testing.assert_allclose(batch, [[0.5, 0, 0.5], [0, 0, 0]])


def test_an_image_s_difference_is_from_what_the_base_makes_of_its_content():
    base, h = np.eye(3), np.array([[0.6, 0.0, 0.8]])
    cosine = np.array([[0.3, 0.1, 0.2]])
    weights = np.exp(cosine[0] / 0.05) / np.exp(cosine[0] / 0.05).sum()
    found = differences.image_difference(h, base, cosine, temperature=0.05)
    np.testing.assert_allclose(found, h - weights @ base)
    np.testing.assert_allclose(differences.image_difference(h, base, cosine, 1e-6), h - base[:1], atol=1e-12)
    np.testing.assert_allclose(differences.image_difference(h, base, cosine, 1e9), h - 1 / 3, atol=1e-6)


def test_the_score_is_the_cosine_whatever_the_strength():
    directions, delta = np.array([[2.0, 0.0], [0.01, 0.01]]), np.array([[3.0, 0.0]])
    np.testing.assert_allclose(differences.difference_score(directions, delta), [[1, 0.5**0.5]], rtol=1e-5)


def test_a_probe_s_mean_is_over_the_models_that_answered_it():
    Z = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [5.0, 5.0]])
    means = differences.probe_means(Z, np.array([0, 2, 0, 2]), 4)
    np.testing.assert_allclose(means, [[2, 1], [0, 0], [2.5, 3], [0, 0]])


def test_what_cannot_be_is_taken_for_the_nearest_that_can():
    assert differences.pairs(np.array([1, 2, 3])).tolist() == [1, 2, 6]
    assert differences.reliability(1.5, 4) == 1


def test_a_text_adds_what_it_adds_in_the_mean_not_in_the_middle():
    nothing = np.zeros((3, 1))
    np.testing.assert_allclose(differences.text_difference(nothing, np.array([[0.0], [0.0], [3.0]])), [1.0])
