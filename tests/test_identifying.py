"""Which model made a picture, in the colour world."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import NonsenseError
from modelsearch_core.identifying import identify
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.search import ModelIndex
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator, model_file


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> ModelIndex:
    folder = tmp_path_factory.mktemp("identifying")
    make_folder(folder / "models", ["base checkpoint", "red", "green", "blue"])
    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, IndexSettings(samples=8))
    return ModelIndex.open(folder / "catalog.sqlite", encoder=ColourEncoder())


def painted(colour: str, says: str = "") -> Image.Image:
    picture = ColourGenerator().paint(model_file(colour), 3)
    picture.info["parameters"] = says
    return picture


def test_a_picture_without_words_is_known_by_its_looks(colours: ModelIndex):
    found = identify(colours, painted("blue"), kind="lora")
    assert [one.named for one in found.models] == [False] * 3
    assert found.models[0].match.name == "blue"
    assert found.absent == ()


def test_what_the_file_says_comes_first_and_only_once(colours: ModelIndex):
    found = identify(colours, painted("blue", "a lake <lora:some folder/green:1> <lora:gone:1>"), kind="lora")
    assert [one.match.name for one in found.models][:2] == ["green", "blue"]
    assert [one.match.rank for one in found.models] == [1, 2, 3]
    assert (found.models[0].named, found.models[0].match.relevance) == (True, 1.0)
    assert [mention.name for mention in found.absent] == ["gone"]


def test_a_picture_of_nothing_is_known_by_what_its_file_says(colours: ModelIndex):
    black = Image.new("RGB", (64, 64))
    black.info["parameters"] = "a lake <lora:green:1> <lora:red:0.5>"
    found = identify(colours, black, kind="lora")
    assert [(one.match.name, one.named, one.match.relevance) for one in found.models] == [
        ("green", True, 1.0),
        ("red", True, 1.0),
    ]
    with pytest.raises(NonsenseError, match="one colour"):
        identify(colours, Image.new("RGB", (64, 64)), kind="lora")


def test_only_what_the_host_lists_is_named(colours: ModelIndex):
    blue = colours.collection.entries[colours.row("blue")].model.path
    found = identify(colours, painted("green", "<lora:green:1>"), kind="lora", among={blue, Path("elsewhere")})
    assert [one.match.name for one in found.models] == ["blue"]
