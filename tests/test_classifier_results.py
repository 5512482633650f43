"""The page of classifiers: made from the JSON alone; areas, correlations and shares as they are defined."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.classifiers import __main__ as command
from benchmarks.classifiers import measuring
from benchmarks.classifiers.page import page
from benchmarks.classifiers.zoo import area, plans


def test_the_page_is_what_the_command_writes():
    found = (json.loads(path.read_text(encoding="utf-8")) for path in (command.RESULT, command.SPEED, command.REAL))
    assert command.PAGE.read_text(encoding="utf-8") == page(*found)


def test_an_area_is_the_mean_precision_at_what_was_wanted():
    scores, wanted = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert area(scores, wanted) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_a_concept_is_found_if_the_first_output_was_trained_on_it():
    answers = measuring.Answers(
        phi=np.zeros((3, 4)),
        owner=np.array([0, 0, 1]),
        concept=np.array([5, 6, 6]),
        area=np.ones(3),
        probes=np.zeros((4, 2)),
        background=np.zeros((1, 2)),
    )
    scores = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [9.0, 8.0, 7.0]])
    measured = measuring.found(scores, answers, np.array([5, 6, 7]))  # nothing was trained on 7
    assert (measured["top1"], measured["top5"], measured["queries"]) == (0.5, 1.0, 2)


def test_half_of_all_answers_may_come_from_one_hub():
    hub = np.array([[1.0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]])
    assert measuring.hubs(hub) == 1
    assert measuring.hubs(np.eye(4)) == 2


def test_a_rank_correlation_is_one_for_any_rising_function():
    x = np.array([3.0, 1.0, 2.0, 5.0])
    assert measuring.spearman(x, np.exp(x)) == pytest.approx(1)
    assert measuring.spearman(x, -x) == pytest.approx(-1)


def test_the_plan_of_150_classifiers_is_the_same_every_time():
    assert plans() == plans()
    assert {5 <= len(plan.concepts) <= 60 for plan in plans()} == {True}


def test_a_part_that_only_learns_its_last_layer_knows_the_same_concepts():
    whole, few = plans(), plans(whole=6)
    assert [plan.frozen for plan in few].count(False) == 6
    assert [(p.shape, p.concepts, p.form) for p in few] == [(p.shape, p.concepts, p.form) for p in whole]
    assert few[:6] == whole[:6]
