"""Style distances by their definition, and how well the fast form keeps the paper's order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.baselines import comparisons, overlap_at
from modelsearch_core.embedding import unit
from modelsearch_core.scores import samples, style

World = tuple[np.ndarray, np.ndarray, np.ndarray]  # V, offsets, q


def world(M: int, S: int, d: int, *, seed: int = 0, families: int = 12, within: float = 0.8) -> World:
    """Styles in families of close neighbours; each model's pictures scatter by subject, by another amount a model."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(families, d))[rng.integers(families, size=M)] + 0.5 * rng.normal(size=(M, d))
    subjects = rng.normal(size=(S, d))
    scatter = within * rng.uniform(0.5, 1.5, size=(M, 1, 1))
    V = centres[:, None] + scatter * (0.7 * subjects + rng.normal(size=(M, S, d)))
    queries = centres[rng.integers(M, size=60)] + within * rng.normal(size=(60, d))
    offsets = np.arange(M + 1) * S
    return unit(V.reshape(M * S, d)).astype(np.float32), offsets, unit(queries).astype(np.float32)


def ragged(seed: int = 1) -> World:
    rng = np.random.default_rng(seed)
    offsets = np.array([0, 3, 4, 9])
    return rng.normal(size=(9, 4)).astype(np.float32), offsets, rng.normal(size=(2, 4)).astype(np.float32)


def test_the_mean_distance_is_its_definition():
    V, offsets, q = ragged()
    for t, m in np.ndindex(2, 3):
        rows = V[offsets[m] : offsets[m + 1]]
        wanted = sum(float(np.sqrt(((q[t] - v) ** 2).sum())) for v in rows) / len(rows)
        assert style.mean_style_distances(V, offsets, q)[t, m] == pytest.approx(wanted, rel=1e-5)


def test_the_first_look_is_the_root_of_the_mean_square():
    V, offsets, q = ragged()
    first = style.root_mean_square_style_distances(style.moments(V, offsets), q)
    for t, m in np.ndindex(2, 3):
        squares = [float(((q[t] - v) ** 2).sum()) for v in V[offsets[m] : offsets[m + 1]]]
        assert first[t, m] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)
    assert (first >= style.mean_style_distances(V, offsets, q) - 1e-6).all()


def test_a_model_with_one_picture_is_at_its_distance():
    V, offsets, q = ragged()
    alone = np.linalg.norm(q - V[3], axis=1)
    assert style.mean_style_distances(V, offsets, q)[:, 1] == pytest.approx(alone, rel=1e-5)
    assert style.root_mean_square_style_distances(style.moments(V, offsets), q)[:, 1] == pytest.approx(alone, rel=1e-4)


def test_the_order_of_pictures_does_not_count():
    V, offsets, q = ragged()
    turned = np.concatenate([V[a:b][::-1] for a, b in pairwise(offsets)])
    assert style.mean_style_distances(turned, offsets, q) == pytest.approx(
        style.mean_style_distances(V, offsets, q), rel=1e-5
    )


@pytest.mark.parametrize("within", [0.4, 0.8, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_the_fast_form_keeps_the_top_ten(within: float, seed: int):
    """740 models of 30 pictures: at less than a ninth of the comparisons."""
    V, offsets, q = world(740, 30, 128, seed=seed, within=within)
    exact = style.mean_style_distances(V, offsets, q)
    fast = style.Shortlist(V, offsets, style.moments(V, offsets))(q)
    assert overlap_at(exact, fast) >= 0.95
    all_pairs, few = comparisons(740, 30, 50)
    assert few < all_pairs / 9


def test_a_pool_of_all_is_exact():
    V, offsets, q = world(40, 5, 16)
    fast = style.Shortlist(V, offsets, style.moments(V, offsets), pool=40)(q)
    assert fast == pytest.approx(style.mean_style_distances(V, offsets, q), abs=1e-5)


def test_models_of_different_sizes_are_shortlisted_too():
    V, offsets, q = ragged()
    fast = style.Shortlist(V, offsets, style.moments(V, offsets), pool=3)(q)
    assert fast == pytest.approx(style.mean_style_distances(V, offsets, q), rel=1e-5)


def test_blocks_of_several_models_are_put_where_they_belong(monkeypatch: pytest.MonkeyPatch):
    V, offsets, q = ragged()
    whole = style.mean_style_distances(V, offsets, q)
    monkeypatch.setattr(samples, "BLOCK", 16)
    assert list(samples.blocks(offsets, 4)) == [(0, 2), (2, 3)]
    assert style.mean_style_distances(V, offsets, q) == pytest.approx(whole, rel=1e-6)


def test_what_is_not_in_the_pool_keeps_the_first_look():
    V, offsets, q = ragged()
    of, exact = style.moments(V, offsets), style.mean_style_distances(V, offsets, q)
    first = style.root_mean_square_style_distances(of, q)
    fast, last = style.Shortlist(V, offsets, of, pool=2)(q), first.argmax(axis=1)
    for t in range(2):
        assert fast[t, last[t]] == first[t, last[t]] > exact[t, last[t]]
