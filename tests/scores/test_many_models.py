"""What stands in for all models' samples says what these say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from modelsearch_core.catalog.packing import LEVELS, Packing, pack, unpack
from modelsearch_core.embedding import unit
from modelsearch_core.scores import calibration, gaussian


def test_the_density_of_factors_is_that_of_the_axes():
    rng = np.random.default_rng(0)
    counts = [5, 12, 12, 40, 1]
    Z = unit(rng.normal(size=(sum(counts), 24)) + 1).astype(np.float32)
    offsets, h = np.concatenate([[0], np.cumsum(counts)]), unit(rng.normal(size=(3, 24))).astype(np.float32)
    fitted = gaussian.fit(Z, offsets)
    factors = [gaussian.factors(Z[a:b]) for a, b in pairwise(offsets)]
    factored = gaussian.Factored(Z, offsets, [λ for λ, _ in factors], [U for _, U in factors], fitted.mean)
    np.testing.assert_allclose(factored.log_density(h), gaussian.log_density(fitted, h), rtol=1e-3)


@pytest.mark.parametrize("M", [200, 3200])
def test_the_best_of_all_is_told_from_a_sample(M: int):
    z = np.random.default_rng(1).exponential(size=(400, M))
    told = calibration.best_of_more(z[:, :100], M)
    assert told.mean() == pytest.approx(z.max(axis=1).mean(), abs=0.25)
    assert told.mean() > z[:, :100].max(axis=1).mean() + 0.4


def test_bytes_are_off_by_half_a_step_at_most():
    Z = np.random.default_rng(2).normal(size=(20, 6)).astype(np.float32) * [1, 0.1, 1e-3, 3, 0, 1] + 0.2
    reach = (Z.max(axis=0) - Z.min(axis=0)) / 2
    assert (np.abs(unpack(pack(Z, Packing.BYTES), 6, Packing.BYTES) - Z) <= 0.6 * reach / LEVELS + 3e-4).all()
