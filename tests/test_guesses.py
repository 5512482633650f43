"""What a search guessed is what the next index run asks first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.guesses import Guesses, guessed
from modelsearch_core.indexing.wanted import MOST, one_by_one, want, wanted, wanted_first
from modelsearch_core.search import Match
from modelsearch_core.specification import Evidence
from tests.making.fakes import model_file


def match(id: str, **known: object) -> Match:
    usual: dict[str, object] = {
        **{"rank": 1, "id": id, "name": id, "title": id, "path": Path(id), "copies": (), "kind": "lora"},
        **{"architecture": "sd15", "score": 1.0, "relevance": 0.9, "weak": False, "evidence": Evidence.METADATA},
        **{"confidence": 0.5, "guessed": True, "deviation": 0.5, "trigger_words": (), "strength": None},
        "thumbnails": (),
    }
    return Match(**usual | known)  # type: ignore[arg-type]


def test_what_is_shown_high_and_was_never_asked_is_a_guess():
    matches = [
        match("named"),
        match("measured", evidence=Evidence.GENERATED),
        match("a set", kind="pictures", evidence=Evidence.PICTURES),
        match("unlikely", weak=True),
        match("previewed", evidence=Evidence.PREVIEW, rank=10),
        match("far down", rank=11),
    ]
    assert guessed(matches) == ["named", "previewed"]


def test_the_last_search_comes_first_and_old_ones_are_forgotten(tmp_path: Path):
    with Catalog(tmp_path / "c.sqlite") as catalog:
        assert wanted(catalog) == []
        want(catalog, ["a", "b"])
        want(catalog, ["c", "b"])
        assert wanted(catalog) == ["c", "b", "a"]
        want(catalog, [f"n{i}" for i in range(MOST)])
        assert "c" not in wanted(catalog)


def test_what_is_wanted_comes_before_the_others_in_their_order(tmp_path: Path):
    models = [model_file(letter) for letter in "abcd"]
    with Catalog(tmp_path / "c.sqlite") as catalog:
        assert wanted_first(catalog, models) == models
        want(catalog, [models[3].fingerprint, models[1].fingerprint, "gone"])
        assert [model.title for model in wanted_first(catalog, models)] == ["d", "b", "a", "c"]


def test_a_search_in_the_middle_of_a_run_moves_what_is_left(tmp_path: Path):
    models = [model_file(letter) for letter in "abcd"]
    with Catalog(tmp_path / "c.sqlite") as catalog:
        turns = one_by_one(catalog, models)
        asked = [next(turns).title]
        with Catalog(tmp_path / "c.sqlite") as another:
            want(another, [models[2].fingerprint])
        asked += [model.title for model in turns]
    assert asked == ["a", "c", "b", "d"]


def test_remembering_makes_no_answer_wait_and_writes_what_is_new(tmp_path: Path):
    with Catalog(tmp_path / "c.sqlite") as catalog:
        guesses = Guesses(lambda: tmp_path / "c.sqlite")
        guesses.saw([match("a"), match("b")])
        guesses.join()
        assert wanted(catalog) == ["a", "b"]
        want(catalog, ["z"])
        guesses.saw([match("a"), match("b")])  # the same answer again
        guesses.join()
        assert wanted(catalog) == ["z", "a", "b"]
        guesses.saw([match("c")])
        guesses.join()
        assert wanted(catalog) == ["c", "z", "a", "b"]


def test_a_catalog_that_cannot_be_written_keeps_no_search_from_its_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG", "modelsearch_core.guesses")
    guesses = Guesses(lambda: tmp_path)  # a folder is no catalogue
    guesses.saw([match("a")])
    guesses.join()
    assert "what was guessed is not remembered" in caplog.text
