"""Outputs and concepts, each formula against its definition written as loops."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from modelsearch_core.scores import logits

L, C, N = 7, 5, 40


@pytest.fixture
def phi_logit():
    return np.random.default_rng(1).normal(3, 2, (L, N))


@pytest.fixture
def phi_text():
    return np.random.default_rng(2).normal(0.2, 0.03, (C, N))


def z(values) -> list[float]:
    values = [float(v) for v in values]
    mean = sum(values) / len(values)
    deviation = sqrt(sum((v - mean) ** 2 for v in values) / len(values))
    return [(v - mean) / deviation for v in values]


def distance_in_loops(logit, text, r: int) -> float:
    best = sorted(range(N), key=lambda i: -logit[i])[:r]
    return sqrt(sum((z(logit)[i] - z(text)[i]) ** 2 for i in best))


def distances(phi_logit, phi_text):
    return logits.truncated_distance(logits.most_exciting(phi_logit, 10), logits.standardised(phi_text))


@pytest.mark.parametrize("r", [1, 10, N])
@pytest.mark.parametrize("block", [8, 2**18])
def test_the_truncated_distance_is_its_definition(phi_logit, phi_text, r, block, monkeypatch):
    monkeypatch.setattr(logits, "BLOCK", block)
    found = logits.truncated_distance(logits.most_exciting(phi_logit, r), logits.standardised(phi_text))
    expected = [[distance_in_loops(logit, text, r) for logit in phi_logit] for text in phi_text]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_neither_scale_nor_offset_of_a_logit_matters(phi_logit, phi_text):
    z_text = logits.standardised(phi_text)
    a, b = (logits.most_exciting(phi, 10) for phi in (phi_logit, 40 * phi_logit - 7))
    np.testing.assert_allclose(logits.truncated_distance(a, z_text), logits.truncated_distance(b, z_text), rtol=1e-3)


def test_equal_responses_keep_the_order_of_the_probes():
    top = logits.most_exciting(np.array([[0.0, 1.0, 1.0, 0.0, 1.0]]), 4)
    assert top.a.tolist() == [[1, 2, 4, 0]]


def test_an_output_that_says_the_same_of_all_has_no_deviation_and_no_z():
    top = logits.most_exciting(np.full((1, 5), 2.5), 3)
    assert top.deviation.tolist() == [0.0] and top.z.tolist() == [[0.0, 0.0, 0.0]]


def test_more_probes_than_two_bytes_number_are_refused():
    with pytest.raises(ValueError, match="70000 probes"):
        logits.most_exciting(np.zeros((1, 70_000)))


def test_hubness_is_the_mean_of_the_nearest(phi_logit, phi_text):
    d = distances(phi_logit, phi_text)
    expected = [sum(sorted(d[:, j])[:2]) / 2 for j in range(L)]
    np.testing.assert_allclose(logits.hubness(d, 2), expected, rtol=1e-6)


def test_a_background_concept_is_no_background_of_itself(phi_logit, phi_text):
    d = distances(phi_logit, phi_text)
    expected = [[sum(sorted(np.delete(d[:, j], c))[:2]) / 2 for j in range(L)] for c in range(C)]
    np.testing.assert_allclose(logits.hubness_without_itself(d, 2), expected, rtol=1e-5)


def test_the_threshold_lets_its_share_of_foreign_probes_through():
    phi = np.arange(100.0)[None]  # probe 99 excites most
    z_text = np.zeros(100)
    z_text[[99, 97]] = 3.0  # the concept's own
    top = logits.most_exciting(phi, 50)
    foreign_above = [i for i in range(100) if z_text[i] < 1][::-1]
    found = logits.suggested_threshold(top, z_text, share=0.03)
    assert found == pytest.approx(float(foreign_above[2]))  # two of 98 lie higher: .03 of 98 is 2.94


def test_where_all_kept_probes_show_the_concept_the_lowest_is_the_threshold():
    phi = np.arange(100.0)[None]
    top = logits.most_exciting(phi, 10)
    assert logits.suggested_threshold(top, np.full(100, 2.0)) == pytest.approx(90.0)


def test_as_many_probes_as_two_bytes_number_are_taken():
    assert logits.most_exciting(np.arange(65_536.0)[None], 1).a.tolist() == [[65_535]]
    with pytest.raises(ValueError, match="65537 probes; a descriptor numbers at most 65536"):
        logits.most_exciting(np.zeros((1, 65_537)))


def test_what_is_kept_of_all_responses_is_their_mean():
    assert logits.most_exciting(np.array([[0.0, 0.0, 3.0]]), 1).mean.tolist() == [1]


def test_hubs_are_told_by_the_mean_of_the_nearest_not_their_middle():
    assert logits.hubness(np.array([[0.0], [1.0], [5.0], [9.0]]), 3).tolist() == [2]
    assert logits.hubness(np.array([[0.0], [1.0], [5.0]]), 3).tolist() == [2]
    with pytest.raises(ValueError, match="2 background concepts; more than 2"):
        logits.hubness_without_itself(np.zeros((2, 1)), 2)


def test_a_probe_that_just_shows_the_concept_is_its_own():
    top = logits.most_exciting(np.arange(10.0)[None], 5)
    z_text = np.array([0.0] * 8 + [1.0, 1.0])
    assert logits.suggested_threshold(top, z_text, share=0.0) == pytest.approx(7.0)
    assert logits.suggested_threshold(top, z_text, share=0.1) == pytest.approx(7.0)
