"""What is looked at of a great many outputs: always enough for the answer that looking at all of everything gives."""

from __future__ import annotations

import numpy as np
import pytest

from modelsearch_core.scores import logit_candidates
from modelsearch_core.scores.logit_candidates import empty_layers, fill_layers, highest, within_reach
from modelsearch_core.scores.logits import hubness, most_exciting, standardised, truncated_distance

N, D, L = 400, 12, 6000


def layers_of(top):
    layers = empty_layers(*top.a.shape)
    fill_layers(layers, slice(0, len(top.a)), top)
    return layers


@pytest.fixture(scope="module")
def world():
    """Outputs that know something, each to a degree of its own, what is usual for them, and concepts."""
    rng = np.random.default_rng(1)
    probes, directions = rng.normal(size=(N, D)), rng.normal(size=(L, D))
    phi = standardised(directions @ probes.T) + rng.uniform(0.2, 2, (L, 1)) * rng.normal(size=(L, N))
    top = most_exciting(phi, 50)
    concepts = standardised(rng.normal(size=(40, D)) @ probes.T)
    return top, hubness(truncated_distance(top, concepts[10:])), concepts[:10]


def looked_through(world, z_texts, scores, ceiling, slope=1.0, k=10):
    """The rows that are left and how often each was measured wholly."""
    top, _, _ = world
    measured = np.zeros(len(top.a), int)

    def total(rows):
        measured[rows] += 1
        return scores[rows]

    return within_reach(layers_of(top), z_texts, ceiling, slope, total, k), measured


@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_best_are_those_of_the_plain_formula(world, k, monkeypatch):
    monkeypatch.setattr(logit_candidates, "SEEDS", 50)
    top, hubs, concepts = world
    for z_text, distance in zip(concepts, truncated_distance(top, concepts), strict=True):
        rows, measured = looked_through(world, z_text[None], hubs - distance, hubs, k=k)
        best = np.argsort(distance - hubs, kind="stable")[:k]
        assert np.isin(best, rows).all()
        assert len(rows) <= k + 5
        assert (measured > 0).mean() < (0.5 if k == 100 else 0.1)


def test_several_concepts_add_up(world):
    top, hubs, concepts = world
    distance = truncated_distance(top, concepts[:2]).sum(axis=0)
    rows, _ = looked_through(world, concepts[:2], 3 * hubs - 0.7 * distance, 3 * hubs, slope=0.7)
    assert np.isin(np.argsort(0.7 * distance - 3 * hubs)[:10], rows).all()
    assert len(rows) < 20


def test_what_lies_far_may_come_first_by_its_ceiling(world):
    """As a label lifts an output, whatever it answers."""
    top, hubs, concepts = world
    distance = truncated_distance(top, concepts[:1])[0]
    ceiling = hubs.copy()
    lifted = np.argsort(-distance)[:3]
    ceiling[lifted] += 1000
    rows, _ = looked_through(world, concepts[:1], ceiling - distance, ceiling)
    assert np.isin(lifted, rows).all()


def test_all_equals_of_the_last_are_left(world):
    top, hubs, concepts = world
    twice = top._replace(a=np.tile(top.a, (2, 1)), z=np.tile(top.z, (2, 1)))
    hubs = np.tile(hubs, 2)
    scores = hubs - truncated_distance(twice, concepts[:1])[0]
    rows = within_reach(layers_of(twice), concepts[:1], hubs, 1.0, lambda some: scores[some], 3)
    assert np.isin(np.flatnonzero(scores >= np.sort(scores)[-3]), rows).all()


def test_what_does_not_count_is_never_left_and_never_a_yardstick(world):
    top, hubs, concepts = world
    scores = hubs - truncated_distance(top, concepts[:1])[0]
    few = np.sort(np.argsort(-scores)[-4:])
    ceiling = np.full(len(hubs), -np.inf, np.float32)
    ceiling[few] = hubs[few]
    rows, _ = looked_through(world, concepts[:1], scores, ceiling, k=10)
    assert rows.tolist() == few.tolist()
    rows, _ = looked_through(world, concepts[:1], scores, np.full(len(hubs), -np.inf))
    assert rows.size == 0


def test_what_cannot_be_measured_is_no_yardstick(world):
    _, hubs, concepts = world
    rows, _ = looked_through(world, concepts[:1], np.full(len(hubs), np.nan), hubs)
    assert len(rows) == len(hubs)


def test_as_many_as_are_wanted_are_yardstick_enough(world):
    top, hubs, concepts = world
    scores = hubs - truncated_distance(top, concepts[:1])[0]
    known = np.sort(np.argsort(-scores)[:10])
    told = np.full(len(scores), np.nan)
    told[known] = scores[known]
    rows, _ = looked_through(world, concepts[:1], told, hubs, k=10)
    assert np.isin(known, rows).all() and len(rows) < 15


@pytest.mark.parametrize("r", [1, 10, 12])
def test_any_number_of_probes_is_cut_into_layers(r):
    top = most_exciting(np.random.default_rng(0).normal(size=(5, 20)), r)
    layers = layers_of(top)
    assert [layer.a.shape[1] for layer in layers] == {1: [1], 10: [10], 12: [10, 2]}[r]
    np.testing.assert_array_equal(np.concatenate([layer.a for layer in layers], axis=1), top.a)
    np.testing.assert_array_equal(np.concatenate([layer.z for layer in layers], axis=1), top.z)


def test_about_as_many_of_the_highest_as_are_wanted():
    values = np.random.default_rng(0).normal(size=100_000)
    found = highest(values, 500)
    assert 300 < len(found) < 800
    assert values[found].min() > np.sort(values)[-800]
    assert highest(values[:5], 500).tolist() == [0, 1, 2, 3, 4]
    assert len(highest(np.zeros(100_000), 500)) == 2000
    assert highest(np.arange(41.0), 10).tolist() == list(range(31, 41))  # few enough to be exact
    assert highest(np.arange(41.0), 1).tolist() == [40]
