"""LoRA chosen without anybody looking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsearch_core import pairs
from modelsearch_core.catalog import Catalog
from modelsearch_core.choosing import choose, strengths
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.search import ModelIndex, Query
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator

COLOURS = ["red", "green", "blue", "yellow", "red blue"]


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelIndex, set[Path]]]:
    folder = tmp_path_factory.mktemp("choosing")
    paths = make_folder(folder / "models", [*COLOURS, "grey checkpoint"])
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, IndexSettings(samples=8))
    with ModelIndex.open(folder / "catalog.sqlite", encoder=ColourEncoder()) as opened:
        yield opened, set(paths)


def names(chosen) -> list[str]:
    return [choice.match.name for choice in chosen.choices]


def test_the_best_is_chosen(colours):
    index, paths = colours
    assert names(choose(index, Query(text=["green"]), paths, floor=0.0)) == ["green"]


def test_only_listed_files_and_only_loras_are_chosen(colours):
    index, paths = colours
    listed = {path for path in paths if path.stem != "green"}
    chosen = choose(index, Query(text=["green"]), listed, count=3, floor=0.0)
    assert len(chosen.choices) == 3
    assert not {"green", "grey checkpoint"} & set(names(chosen))


def test_below_the_floor_nothing_is_chosen_and_the_best_is_told(colours):
    index, paths = colours
    chosen = choose(index, Query(text=["green"]), paths, floor=1.0)
    assert chosen.choices == ()
    assert chosen.best is not None and chosen.best.name == "green"


def test_where_no_lora_fits_the_base_there_is_no_best(colours):
    index, paths = colours
    chosen = choose(index, Query(text=["green"]), paths, architecture="flux", floor=0.0)
    assert chosen.choices == () and chosen.best is None


@pytest.mark.parametrize(("given", "expected"), [([], []), ([0.9], [0.9]), ([None], [0.8]), ([1, 0.5], [0.71, 0.35])])
def test_strengths_are_divided(given, expected):
    assert strengths([SimpleNamespace(strength=strength) for strength in given]) == expected


@pytest.mark.parametrize("count", [0, 4])
def test_as_many_as_make_sense_may_be_asked_for(colours, count: int):
    with pytest.raises(ValueError, match=f"not {count}"):
        choose(colours[0], Query(text=["green"]), colours[1], count=count)


def test_two_files_of_one_model_are_one_choice_and_the_base_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "PAIRED", ("sd15",))
    paths = make_folder(tmp_path / "models", ["red high_noise", "red low_noise", "red blue", "grey checkpoint"])
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
    )
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], engine, IndexSettings(samples=8))
    with ModelIndex.open(tmp_path / "catalog.sqlite", encoder=ColourEncoder()) as opened:
        for base, noise in ((None, "high"), (Path("wan_low_noise.gguf"), "low")):
            chosen = choose(opened, Query(text=["red"]), paths, count=3, floor=0.0, base=base)
            assert [choice.path.stem for choice in chosen.choices] == [f"red {noise}_noise", "red blue"]
        alone = [path for path in paths if "low" not in path.stem]
        chosen = choose(opened, Query(text=["red"]), alone, floor=0.0, base=Path("wan_low_noise.gguf"))
        assert [choice.path.stem for choice in chosen.choices] == ["red high_noise"]


def test_what_fits_but_may_not_be_meant_is_not_applied_and_says_so(colours):
    index, paths = colours
    chosen = choose(index, Query(text=["red", "green", "blue", "yellow"]), paths, floor=0.01)
    assert chosen.best is not None and chosen.best.relevance > 0.01
    assert chosen.choices == () and chosen.unsure and chosen.best.confidence < chosen.wanted
    anyhow = choose(index, Query(text=["red", "green", "blue", "yellow"]), paths, floor=0.0)
    assert len(anyhow.choices) == 1 and not anyhow.unsure
