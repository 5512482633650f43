"""What benchmarks compare with, against its definition written as loops."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from benchmarks import baselines
from modelsearch_core.scores import kernel_mean, logits

L, C, N = 7, 5, 40


@pytest.fixture
def bank():
    return np.random.default_rng(0).normal(0.2, 0.05, (300, 12))


@pytest.fixture
def phi_logit():
    return np.random.default_rng(1).normal(3, 2, (L, N))


@pytest.fixture
def phi_text():
    return np.random.default_rng(2).normal(0.2, 0.03, (C, N))


def test_csls_is_its_definition(bank):
    scores = bank[:4] + 0.1
    found = baselines.csls(scores, bank, k=3)
    for t in range(4):
        for m in range(12):
            near_query, near_model = sorted(scores[t])[-3:], sorted(bank[:, m])[-3:]
            assert found[t, m] == pytest.approx(2 * scores[t, m] - sum(near_query) / 3 - sum(near_model) / 3)


def test_raw_pixels_that_are_too_far_for_the_kernel_leave_all_models_level():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    X = baselines.pixels(images)
    assert X.shape == (6, 768)
    assert 0 <= X.min() <= X.max() <= 1
    points, betas = kernel_mean.reduce_to_one(100 * X, np.array([0, 3, 6]))
    distances = kernel_mean.rkme_distance(points, betas, 100 * X[:1] + 5)
    assert np.isfinite(distances).all()


def test_all_probes_is_the_truncated_distance_that_keeps_all(phi_logit, phi_text):
    kept = logits.truncated_distance(logits.most_exciting(phi_logit, N), logits.standardised(phi_text))
    np.testing.assert_allclose(baselines.all_probes_distance(phi_logit, phi_text), kept, rtol=1e-4)


def test_wpmi_is_its_definition(phi_logit, phi_text):
    a = logits.most_exciting(phi_logit, 10).a
    p = [[exp(2 * phi_text[c][i]) / sum(exp(2 * row[i]) for row in phi_text) for i in range(N)] for c in range(C)]
    joint = np.array([[sum(log(p[c][i] + 1e-7) for i in a[j][:4]) for j in range(L)] for c in range(C)])
    expected = [[joint[c][j] - 0.6 * log(sum(map(exp, joint[c])) / L) for j in range(L)] for c in range(C)]
    np.testing.assert_allclose(baselines.wpmi(a, phi_text, k=4), expected, rtol=1e-9)


def test_soft_wpmi_is_its_definition(phi_logit, phi_text):
    a = logits.most_exciting(phi_logit, 10).a
    p = [[exp(10 * phi_text[c][i]) / sum(exp(10 * row[i]) for row in phi_text) for i in range(N)] for c in range(C)]
    member = [0.998 - place / 4 * 0.028 for place in range(4)]
    joint = np.array(
        [
            [sum(log(1 + m * (p[c][i] - 1) + 1e-7) for m, i in zip(member, a[j][:4], strict=True)) for j in range(L)]
            for c in range(C)
        ]
    )
    expected = [[joint[c][j] - log(sum(map(exp, joint[c])) / L) for j in range(L)] for c in range(C)]
    np.testing.assert_allclose(baselines.soft_wpmi(a, phi_text, k=4), expected, rtol=1e-9)


def test_overlap_counts_what_both_name():
    first, second = np.array([[1.0, 2, 3, 4]]), np.array([[1.0, 4, 3, 2]])
    assert baselines.overlap_at(first, second, 2) == 0.5
    assert baselines.overlap_at(first, first, 10) == 1.0
