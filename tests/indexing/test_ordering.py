"""Which models are generated from first, and how much of each at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.indexing import IndexSettings, Step
from modelsearch_core.indexing.ordering import in_order
from modelsearch_core.indexing.wanted import want
from modelsearch_core.model_files import Kind
from tests.indexing.test_indexing import Bench
from tests.making.fakes import ColourEncoder, ColourGenerator, model_file


def test_what_weights_call_a_duplicate_comes_last_and_bases_stay_together(tmp_path: Path):
    base = model_file("base", kind=Kind.CHECKPOINT)
    loras = [model_file(f"{letter}") for letter in "abcd"]
    other = model_file("other", kind=Kind.CHECKPOINT, architecture="sdxl", fingerprint="zz")
    with Catalog(tmp_path / "c.sqlite") as catalog:
        for lora, angle in zip(loras, (0, 1, 120, 240), strict=True):
            turn = np.radians(angle)
            s = np.array([[np.cos(turn), np.sin(turn)]], np.float32)
            catalog.sketches.put(lora.fingerprint, VERSION, Sketch(("layer",), s))
        found = in_order(catalog, ColourEncoder(), [*loras, other, base], ColourGenerator([base, *loras, other]))
    assert [model.title for model in found if model.kind is Kind.CHECKPOINT] == ["base", "other"]
    assert found[0] is base
    assert found[-1] is other
    assert found[4].title in "ab"
    assert {model.title for model in found[1:4]} in ({"a", "c", "d"}, {"b", "c", "d"})


def test_what_a_search_guessed_is_asked_first_in_a_whole_run(many: Bench):
    many.run(quick=True)
    want(many.catalog, [next(m.fingerprint for m in many.catalog.models() if m.title == "pink green")])
    many.run(samples=12)
    assert next(title for title, _ in many.generators[-1].asked if title != "a checkpoint") == "pink green"


def test_of_models_that_nothing_is_known_of_the_order_is_that_of_paths(tmp_path: Path):
    loras = [model_file(letter) for letter in "cab"]
    base = model_file("base", kind=Kind.CHECKPOINT)
    with Catalog(tmp_path / "c.sqlite") as catalog:
        found = in_order(catalog, ColourEncoder(), loras, ColourGenerator([base, *loras]))
    assert [model.title for model in found] == ["a", "b", "c"]


COLOURS = ("red", "green", "blue", "yellow", "pink")
MANY = ["a checkpoint", *(f"{one} {two}" for one in COLOURS for two in COLOURS[:2])]


@pytest.fixture
def many(tmp_path: Path) -> Bench:
    return Bench(tmp_path, MANY)


def test_many_new_models_get_a_few_pictures_each_before_any_gets_more(many: Bench):
    report = many.run(samples=12)
    order = [(title, number) for title, number in many.generators[-1].asked if title != "a checkpoint"]
    first_more = next(place for place, (_, number) in enumerate(order) if number >= 8)
    assert len({title for title, _ in order[:first_more]}) == 10
    assert set(many.generated().values()) == {12}
    assert len(report.generated) == len(set(report.generated)) == 11
    assert report.images == 11 * 12
    assert report.unchanged == 0


def test_what_a_run_has_begun_another_one_ends(many: Bench):
    class Stop(BaseException):
        pass

    def stop(step: Step) -> None:
        if len(many.generated()) == 11:
            raise Stop

    with pytest.raises(Stop):
        many.run(stop)
    assert set(many.generated().values()) == {8}
    report = many.run()
    assert set(many.generated().values()) == {32, 64}
    assert many.run().unchanged == 11
    assert not report.failed


def test_eight_that_were_asked_for_are_all_that_is_wanted(many: Bench):
    many.run(samples=8)
    assert many.run().unchanged == 11


def test_a_model_that_fails_is_not_tried_in_the_next_round(many: Bench):
    many.broken = ["red green"]
    report = many.run(samples=12)
    assert len(report.failed) == 1
    assert Counter(many.generated().values()) == {12: 10}


def test_few_new_models_are_done_one_after_the_other():
    settings = IndexSettings()
    assert settings.rounds(8) == (settings,)
    assert [part.samples for part in settings.rounds(9)] == [8, None]
    assert [part.samples for part in IndexSettings(samples=64).rounds(500)] == [8, 64]
    assert [part.samples for part in IndexSettings(samples=6).rounds(500)] == [6]
    assert [part.samples for part in IndexSettings(samples=200).rounds(500)] == [200]
