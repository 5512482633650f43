"""The page on trust: made from the figures alone; intervals, AUC and strokes are what they say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.honesty import page
from benchmarks.honesty.asking import interval, separation
from benchmarks.honesty.crowding import kept_out
from benchmarks.honesty.questions import Question, by_texts, by_wordings, stored_words
from benchmarks.honesty.strokes import HANDS, SIDE, draw, shaky
from benchmarks.honesty.unmeasured import names_of_things, names_of_this_world
from benchmarks.zoo.built import FOLDER
from modelsearch_core.search import Query


def test_the_page_is_what_the_command_writes():
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_a_figure_stands_beside_what_it_was():
    figures = {"value": 0.25, "low": 0.1, "high": 0.4, "of": 8}
    told = page.table({"alone": {"right first": figures}}, {"alone": {"right first": {**figures, "value": 0.5}}})
    assert told.splitlines()[2] == "| alone | right first | 0.25 (0.10–0.40) | 0.50 (0.10–0.40) |"


def test_the_interval_is_over_models_not_over_their_pictures():
    same = np.repeat([0.0, 1.0, 1.0, 0.0], 50)
    by_model = interval(same, np.repeat(["a", "b", "c", "d"], 50))
    by_picture = interval(same, np.arange(200))
    assert by_model["value"] == by_picture["value"] == 0.5
    assert by_model["high"] - by_model["low"] > 3 * (by_picture["high"] - by_picture["low"])


def test_auc_counts_the_pairs_that_are_in_order():
    told, right = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])
    assert separation(told, right) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert separation(told, np.ones(4, bool)) is None


def test_one_more_in_a_list_costs_those_that_are_sixth_behind_it():
    order = {"a": "bcdefa", "b": "cdeafb", "f": "fabcde"}  # f is a checkpoint, and before a's picture and b's
    models = [
        SimpleNamespace(id=name, path=Path(f"models/{name}"), kind="checkpoint" if name == "f" else "lora")
        for name in "abcdef"
    ]

    def search(query: Query, k: int) -> list[Any]:
        return [SimpleNamespace(id=id) for id in order[query.text[0]][:k]]

    index: Any = SimpleNamespace(models=lambda: models, search=search)
    found = kept_out(index, [Question(query=Query(text=[name]), target=name) for name in order])
    by_lora, by_checkpoint = found.values()
    assert by_lora["value"] == pytest.approx((1 + 1 + 2 + 2 + 2) / 5) and by_lora["of"] == 5
    assert by_checkpoint["value"] == 2 and by_checkpoint["of"] == 1


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the procedural zoo is not built (python -m benchmarks.zoo.build)")
def test_no_stored_name_is_what_is_asked():
    asked = {question.query.text[0].casefold() for question in [*by_texts(), *by_wordings()]}
    assert asked.isdisjoint(stored_words()) and "an old brown sepia photo" in stored_words()
    assert len(by_texts()) == 22  # of 27 models that have a description
    for names in (names_of_things(), names_of_this_world()):
        assert len(set(names)) == 200
        assert asked.isdisjoint(name.casefold() for name in names)


def test_a_hand_draws_thin_open_and_never_twice_the_same():
    first, second = (draw("key", HANDS["fine pen"], np.random.default_rng(seed)) for seed in (0, 1))
    assert first.size == (SIDE, SIDE)
    assert first.tobytes() != second.tobytes()
    assert first.tobytes() == draw("key", HANDS["fine pen"], np.random.default_rng(0)).tobytes()
    ink = {name: _ink(draw("key", hand, np.random.default_rng(0))) for name, hand in HANDS.items()}
    assert 0.002 < ink["fine pen"] < ink["marker"] < 0.2
    square = np.array([[0.0, 0], [100, 0], [100, 100], [0, 100], [0, 0]])
    line = shaky(square, HANDS["marker"], np.random.default_rng(0))
    assert np.linalg.norm(line[0] - line[-1]) > 10  # 5 % of 400 pixels are left open


def _ink(image: Image.Image) -> float:
    return float((np.asarray(image.convert("L")) < 128).mean())
