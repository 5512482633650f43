"""Queries that are added up."""

from __future__ import annotations

import pytest
from PIL import Image

from modelsearch_core.search import Query, combined

A, B = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))


def test_weights_are_multiplied_and_stay_with_their_inputs():
    first = Query(text=["a"], images=[A], without=["x"], weights=[1.0, 2.0, 3.0])
    second = Query(text=["b"], like=["m"])
    both = combined([(first, 2.0), (second, 0.5)])
    assert (both.text, both.images, both.like, both.without) == (["a", "b"], [A], ["m"], ["x"])
    assert both.weights == [2.0, 0.5, 4.0, 0.5, 6.0]


def test_what_a_negative_query_asks_for_is_not_wanted():
    not_wanted = Query(text=["b"], images=[B], sketches=[A], like=["m"], without=["x"])
    both = combined([(Query(text=["a"]), 1.0), (not_wanted, -0.5)])
    assert (both.text, both.images, both.sketches, both.like, both.without) == (["a", "b"], [], [], ["m"], [B, A])
    assert both.weights == [1.0, -0.5, -0.5, 0.5, 0.5]


def test_one_query_stays_what_it_is():
    assert combined([(Query(text=["a"]), 1.0)]).weights == [1.0]


def test_a_weight_of_nothing_leaves_a_query_out():
    assert combined([(Query(text=["a"]), 1.0), (Query(images=[A]), 0.0)]).images == []
    with pytest.raises(ValueError, match="cancel out"):
        combined([(Query(text=["a"]), 0.0)])
