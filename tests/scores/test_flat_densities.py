from __future__ import annotations

import numpy as np

from benchmarks.flat_densities import Layout
from modelsearch_core.embedding import unit
from modelsearch_core.scores import coarse, gaussian

M, S, D, WIDTH = 30, 40, 24, 8
rng = np.random.default_rng(0)


def densities() -> coarse.Coarse:
    Z = unit(rng.normal(size=(M, 1, D)) + 0.5 * rng.normal(size=(M, S, D))).reshape(-1, D).astype(np.float32)
    fitted = gaussian.fit(Z, np.arange(0, M * S + 1, S))
    basis = coarse.basis(fitted.axes, fitted.variances, WIDTH)
    return coarse.Coarse(basis, coarse.rows_of(fitted.axes, fitted.variances, fitted.mean, basis), fitted.mean)


def test_with_room_for_all_a_product_is_the_density_but_for_what_is_the_same_for_all():
    of, h = densities(), unit(rng.normal(size=D)).astype(np.float32)
    layout = Layout.of(of, unit(rng.normal(size=(50, D))))
    found = layout.rows(of) @ layout.picture(h)
    expected = 2 * of.floor * of.log_density(h[None])[0]
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=1e-4)


def test_a_text_sees_the_means_alone():
    of, h = densities(), unit(rng.normal(size=D)).astype(np.float32)
    layout = Layout.of(of, unit(rng.normal(size=(50, D))))
    first_moment = unit(of.mean) @ h
    found = layout.rows(of) @ layout.text(h)
    assert np.corrcoef(found, first_moment)[0, 1] > 0.99
