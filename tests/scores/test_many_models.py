"""What stands in for all models' samples says what these say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from modelsearch_core.catalog import twelve_bits
from modelsearch_core.catalog.derived import Stored, density_of, factors_from
from modelsearch_core.catalog.packing import LEVELS, Packing, first_rows, pack, unpack
from modelsearch_core.embedding import unit
from modelsearch_core.scores import calibration, gaussian
from modelsearch_core.specification import Evidence


def test_the_density_of_factors_is_that_of_the_axes():
    rng = np.random.default_rng(0)
    counts = [5, 12, 12, 40, 1]
    Z = unit(rng.normal(size=(sum(counts), 24)) + 1).astype(np.float32)
    offsets, h = np.concatenate([[0], np.cumsum(counts)]), unit(rng.normal(size=(3, 24))).astype(np.float32)
    fitted = gaussian.fit(Z, offsets)
    factors = [gaussian.factors(Z[a:b]) for a, b in pairwise(offsets)]
    factored = gaussian.Factored(Z, offsets, [λ for λ, _ in factors], [U for _, U in factors], fitted.mean)
    np.testing.assert_allclose(factored.log_density(h), gaussian.log_density(fitted, h), rtol=1e-3)
    together = gaussian.factors_of_all(Z, offsets)
    for (λ, U), (λ_alone, U_alone) in zip(together, factors, strict=True):
        np.testing.assert_allclose(λ, λ_alone, rtol=1e-9)
        np.testing.assert_allclose(np.abs(U), np.abs(U_alone), atol=1e-6)


@pytest.mark.parametrize("M", [200, 3200])
def test_the_best_of_all_is_told_from_a_sample(M: int):
    z = np.random.default_rng(1).exponential(size=(400, M))
    told = calibration.best_of_more(z[:, :100], M)
    assert told.mean() == pytest.approx(z.max(axis=1).mean(), abs=0.25)
    assert told.mean() > z[:, :100].max(axis=1).mean() + 0.4


def test_bytes_are_off_by_half_a_step_at_most():
    Z = np.random.default_rng(2).normal(size=(20, 6)).astype(np.float32) * [1, 0.1, 1e-3, 3, 0, 1] + 0.2
    reach = (Z.max(axis=0) - Z.min(axis=0)) / 2
    off = np.abs(unpack(pack(Z, Packing.TERSE), 6, Packing.TERSE) - Z)
    assert (off <= (reach + 0.5 / LEVELS) * 2 ** (1 / 16) / 2 / LEVELS + 1e-7).all()


def test_bytes_of_equal_rows_and_of_nothing_are_these_rows():
    for Z in (np.zeros((9, 4), np.float32), np.full((9, 4), -0.5, np.float32)):
        np.testing.assert_array_equal(unpack(pack(Z, Packing.TERSE), 4, Packing.TERSE), Z)


def test_the_first_rows_of_bytes_are_these_rows():
    Z = np.random.default_rng(3).normal(size=(9, 5)).astype(np.float32)
    for packing in (Packing.HALF, Packing.TERSE):
        blob = pack(Z, packing)
        np.testing.assert_array_equal(unpack(first_rows(blob, 4, 5, packing), 5, packing), unpack(blob, 5, packing)[:4])


@pytest.mark.parametrize(("S", "D"), [(12, 20), (20, 12)])
def test_a_density_in_bytes_is_nearly_that_of_the_samples(S: int, D: int):
    Z = unit(np.random.default_rng(4).normal(size=(S, D))).astype(np.float32)
    λ, U = gaussian.factors(unit(unpack(pack(Z, Packing.TERSE), D, Packing.TERSE)))
    blob = density_of(Z, Evidence.GENERATED, Packing.TERSE)
    stored, none, other = factors_from([Stored(blob, S, Packing.TERSE), Stored(None, S, Packing.TERSE)] * 2, D)[:3]
    assert stored is not None and other is not None and none is None and stored.U.shape == U.shape
    np.testing.assert_array_equal(other.U, stored.U)
    assert factors_from([Stored(blob, S + 1, Packing.TERSE)], 99) == [None]
    for packing in (Packing.TERSE, Packing.BYTES):
        assert factors_from([Stored(b"", S, packing), Stored(b"abc", S, packing)], D) == [None, None]
    np.testing.assert_allclose(stored.λ, λ, rtol=1e-6)
    np.testing.assert_allclose(stored.U, U, atol=0.51 * np.abs(U).max() / twelve_bits.LEVELS)


def test_a_density_as_it_was_written_before_is_read():
    λ, U = np.array([2, 1], np.float32), np.array([[0.5, -0.25, 1], [0, 1, -1]], np.float16)
    (stored,) = factors_from([Stored(λ.tobytes() + U.tobytes(), 3, Packing.BYTES)], 9)
    assert stored is not None
    np.testing.assert_array_equal(stored.λ, λ)
    np.testing.assert_array_equal(stored.U, U)


def test_bytes_as_they_were_written_before_are_read():
    q = np.array([[-127, 0], [127, 5]], np.int8)
    blob = np.array([[0.5, -1], [2**-7, 2**-9]], np.float16).tobytes() + q.tobytes()
    np.testing.assert_array_equal(
        unpack(blob, 2, Packing.BYTES), [[0.5 - 127 / 128, -1], [0.5 + 127 / 128, -1 + 5 / 512]]
    )
    assert first_rows(blob, 1, 2, Packing.BYTES) == blob[:-2]
    with pytest.raises(ValueError, match="TERSE"):
        pack(np.zeros((8, 2), np.float32), Packing.BYTES)
