"""What is left out of a great many outputs: against the distances that it estimates."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.scores.logit_candidates import candidates, estimated_distance, prefix_of
from modelsearch_core.scores.logits import most_exciting, standardised, truncated_distance

N, D = 400, 12


def outputs_that_know(directions, probes, rng):
    phi = standardised(directions @ probes.T) + rng.normal(0, 0.5, (len(directions), len(probes)))
    return most_exciting(phi, 50)


def test_with_all_probes_the_estimate_is_the_distance():
    rng = np.random.default_rng(0)
    top = most_exciting(rng.normal(size=(300, N)), 20)
    z_text = standardised(rng.normal(size=(1, N)))
    np.testing.assert_allclose(
        estimated_distance(prefix_of(top, 20), z_text[0]), truncated_distance(top, z_text)[0], rtol=1e-4
    )


def test_the_rest_is_taken_to_be_like_the_first():
    """By hand: the first two of four probes as they are, the others at .8 of the concept's mean over these two."""
    top = most_exciting(np.array([[4.0, 3.0, 2.0, 1.0, -2.0, -8.0]]), 4)
    z = np.asarray(top.z[0], float)
    z_text = np.array([1.0, 0.5, -3.0, 7.0, 0.0, 0.0])
    expected = (1 - z[0]) ** 2 + (0.5 - z[1]) ** 2 + (0.6 - z[2]) ** 2 + (0.6 - z[3]) ** 2
    assert estimated_distance(prefix_of(top, 2), z_text)[0] == pytest.approx(np.sqrt(expected), rel=1e-4)


def test_the_best_outputs_are_among_the_candidates():
    rng = np.random.default_rng(1)
    probes = rng.normal(size=(N, D))
    directions = rng.normal(size=(20_000, D))
    top = outputs_that_know(directions, probes, rng)
    concepts = standardised(rng.normal(size=(5, D)) @ probes.T)
    for z_text, distance in zip(concepts, truncated_distance(top, concepts), strict=True):
        found = candidates([-estimated_distance(prefix_of(top), z_text)])
        assert len(found) == pytest.approx(0.15 * len(directions), rel=0.1)
        assert np.isin(np.argsort(distance)[:10], found).mean() >= 0.9


def test_outputs_that_do_not_count_are_no_candidates():
    near = np.linspace(0, 1, 1000)
    near[990:] = -np.inf
    found = candidates([near], share=0.01)
    assert found.tolist() == list(range(found[0], 990))
    assert candidates([np.full(10, -np.inf)]).size == 0


def test_each_of_two_concepts_brings_its_own():
    up, down = np.arange(1000.0), -np.arange(1000.0)
    assert set(candidates([up, down], share=0.01)) >= {0, 999}


def test_what_is_just_as_near_as_the_share_allows_is_a_candidate():
    nearness = np.array([1.0, 2.0, 3.0, 4.0])
    assert candidates([nearness], share=0.25).tolist() == [3]
    assert candidates([nearness], share=1 / 3).tolist() == [2, 3]
