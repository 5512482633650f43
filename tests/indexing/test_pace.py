"""How long pictures take here, and how many of an expensive family are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import IndexSettings
from modelsearch_core.indexing.pace import expected, family_of, note, seconds_a_picture
from tests.indexing.test_indexing import Bench
from tests.making.fakes import model_file


def test_the_last_models_say_how_long_a_picture_takes(tmp_path: Path):
    with Catalog(tmp_path / "c.sqlite") as catalog:
        assert seconds_a_picture(catalog) == {}
        note(catalog, model_file("a"), 16.0, 8)
        note(catalog, model_file("b"), 8.0, 8)
        note(catalog, model_file("c", architecture="sdxl"), 30.0, 10)
        assert seconds_a_picture(catalog) == {"sd15": pytest.approx(16 / 12), "sdxl": 3.0}


def test_what_was_not_measured_is_expected_by_what_it_takes():
    takes = {"sd15": 1.0, "sdxl": 4.5, "flux 12b": 28.0}
    assert expected({"sd15": 2.0}, takes, "sd15") == 2.0
    assert expected({"sd15": 2.0}, takes, "sdxl") == 9.0
    assert expected({"sd15": 2.0, "sdxl": 13.5}, takes, "flux 12b") == 28.0 * 2.5
    assert expected({}, takes, "sdxl") is None
    assert expected({"sd15": 2.0}, takes, "svd") is None


def test_a_width_is_a_family_of_its_own():
    assert (family_of("flux", "12b"), family_of("sdxl", None)) == ("flux 12b", "sdxl")


def test_an_expensive_family_gets_fewer_pictures_and_never_as_few_as_a_first_round():
    settings = IndexSettings()
    assert settings.within_budget(None) is settings
    assert settings.within_budget(4.5) == settings
    flux = settings.within_budget(28.0)
    assert (flux.first, flux.plain, flux.most) == (32, 35, 35)
    video = settings.within_budget(135.0)
    assert (video.first, video.plain, video.most) == (12, 12, 12)
    assert video.most > settings.few
    assert IndexSettings(samples=64).within_budget(135.0).samples == 64


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="budget must be more than 0, not 0"):
        IndexSettings(budget=0)


def test_a_run_keeps_within_the_budget_and_says_how_long_pictures_took(tmp_path: Path):
    bench = Bench(tmp_path, ["a checkpoint", "red", "green"])
    bench.run(budget=20)
    assert set(bench.generated().values()) == {20}
    assert seconds_a_picture(bench.catalog)["sd15"] > 0
