"""Search by where things are: pictures whose colour is on one side, which is all the same to the other encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.errors import ModelSearchError
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.search import Filters, ModelIndex, Query, combined
from modelsearch_core.search.banks import bank_of_layouts
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, ColourEncoder, ColourGenerator, SidesEncoder

NAMES = ["base checkpoint", "red left", "red right", "blue left", "blue right", "green left"]


class SidesGenerator(ColourGenerator):
    """Paints the colour of a model's title on the side that it names."""

    def paint(self, model: ModelFile, number: int) -> Image.Image:
        colours = [word for word in model.title.split() if word in COLOURS]
        return picture(colours[0], "right" in model.title, number) if colours else picture(None, False, number)


def picture(colour: str | None, right: bool, number: int = 0) -> Image.Image:
    image = Image.new("RGB", (16, 16), (128, 128, 128))
    if colour:
        edge = 5 + number % 3
        image.paste(COLOURS[colour], (16 - edge if right else 0, 4, 16 if right else edge, 4 + edge))
    return image


def fill(folder: Path, names: Sequence[str] = NAMES, *, spatial: bool = True, quick: bool = False) -> Path:
    if not (folder / "models").exists():
        make_folder(folder / "models", names)
    engine = Engine(
        encoder=ColourEncoder(),
        encoder_source="colours",
        generator_for=SidesGenerator,
        draw=lambda image: image,
        spatial=SidesEncoder() if spatial else None,
        spatial_source="sides",
    )
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], engine, IndexSettings(samples=8, quick=quick))
    return folder / "catalog.sqlite"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> ModelIndex:
    return opened(fill(tmp_path_factory.mktemp("sides")))


@pytest.fixture(scope="module")
def unmapped(tmp_path_factory: pytest.TempPathFactory) -> ModelIndex:
    return opened(fill(tmp_path_factory.mktemp("unmapped"), spatial=False))


def opened(path: Path) -> ModelIndex:
    return ModelIndex.open(path, encoder=ColourEncoder(), spatial_encoder=SidesEncoder())


def found(index: ModelIndex, query: Query, method: str = "auto", **others: object) -> list[str]:
    return [match.name for match in index.search(query, method=method, **others)]  # type: ignore[arg-type]


def queries(name: str) -> list[Query]:
    colour, side = name.split()
    return [Query(images=[picture(colour, side == "right", number)]) for number in (3, 4, 5)]


@pytest.mark.parametrize("name", NAMES[1:5])
def test_spatial_tells_the_sides_apart(sides: ModelIndex, name: str):
    assert all(found(sides, query, "spatial")[0] == name for query in queries(name))


@pytest.mark.parametrize("name", NAMES[1:5])
def test_respecting_the_layout_tells_them_apart_too(sides: ModelIndex, name: str):
    for query in queries(name):
        assert found(sides, Query(images=query.images, respect_layout=True))[0] == name


def test_without_the_layout_both_sides_get_nearly_one_score(sides: ModelIndex):
    scores = sides.scores(queries("red left")[0], "first_moment")
    left, right = sides.row("red left"), sides.row("red right")
    assert abs(scores[left] - scores[right]) < 0.1 * abs(scores[left] - scores[sides.row("blue left")])


def test_the_score_is_the_cosine_of_a_map_and_the_mean_map(sides: ModelIndex):
    layouts = sides.statistics.mapped_layouts
    h = SidesEncoder().encode_images([picture("red", False)])
    with Catalog(sides._catalog.path, read_only=True) as catalog:
        entry = sides.collection.entries[sides.row("red left")]
        mean = catalog.spatial.get(*entry.key, SidesEncoder.name).mean.astype(np.float32)  # type: ignore[union-attr]
    expected = float(h[0] @ mean / np.linalg.norm(mean))
    assert np.isclose(layouts.scores(h)[0, sides.row("red left")], expected, atol=1e-3)


def test_a_background_picture_does_not_count_for_its_own_model(sides: ModelIndex):
    bank = bank_of_layouts(sides.statistics.mapped_layouts)
    assert len(bank) == 2 * len(NAMES)
    assert sorted(np.bincount(bank.owner)) == [2] * len(NAMES)
    assert np.isnan(
        bank.masked(np.zeros((len(bank), len(NAMES))), np.arange(len(NAMES)))[np.arange(len(bank)), bank.owner]
    ).all()


def test_models_ask_by_their_mean_maps(sides: ModelIndex):
    best = found(sides, Query(like=["red left"]), "spatial", filters=Filters(kind="lora"))[0]
    assert best in ("blue left", "green left", "red right")
    assert "red left" not in found(sides, Query(like=["red left"]), "spatial")


def test_pictures_of_several_weights_and_unwanted_ones_have_layouts(sides: ModelIndex):
    query = Query(images=[picture("red", True), picture("blue", True)], weights=[1.0, 0.2])
    assert found(sides, query, "spatial")[0] == "red right"
    names = found(sides, Query(images=[picture("red", True)], without=[picture("red", False)]), "spatial")
    assert names[0] == "red right"


@pytest.mark.parametrize("query", [Query(text=["red"]), Query(sketches=[picture("red", False)])])
def test_what_has_no_layout_is_told_to_ask_otherwise(sides: ModelIndex, query: Query):
    with pytest.raises(ModelSearchError, match=r"does not say where things are.*by image.*another method"):
        sides.search(query, method="spatial")


def test_a_text_beside_a_picture_is_answered_as_ever_when_the_layout_is_respected(sides: ModelIndex):
    query = Query(text=["red"], images=[picture("red", True)], respect_layout=True)
    assert found(sides, query)[0] == "red right"


def test_only_a_picture_has_a_layout_to_respect():
    with pytest.raises(ValueError, match="only an image has a layout"):
        Query(text=["red"], respect_layout=True)


@pytest.mark.parametrize("method, respect", [("spatial", False), ("auto", True)])
def test_without_maps_the_way_to_have_them_is_named(unmapped: ModelIndex, method: str, respect: bool):
    query = Query(images=[picture("red", False)], respect_layout=respect)
    with pytest.raises(ModelSearchError, match=r"no maps.*modelsearch index FOLDER --spatial"):
        unmapped.search(query, method=method)
    assert unmapped.search(Query(images=[picture("red", False)]))


def test_a_model_without_a_map_is_left_out_of_spatial_and_kept_by_auto(tmp_path: Path):
    path = fill(tmp_path)
    with Catalog(path) as catalog:
        model = next(model for model in catalog.models() if model.title == "red left")
        catalog._connection.execute("DELETE FROM spatial_map WHERE fingerprint = ?", (model.fingerprint,))
    index, query = opened(path), queries("red left")[0]
    assert set(found(index, query, "spatial")) == {*NAMES} - {"red left"}
    assert set(found(index, Query(images=query.images, respect_layout=True))) == {*NAMES}
    with pytest.raises(ModelSearchError, match="1 of 1 models asked for have no map"):
        index.search(Query(like=["red left"]), method="spatial")


def test_filters_hold_when_the_layout_is_respected(sides: ModelIndex):
    query = Query(images=[picture("red", True)], respect_layout=True)
    matches = sides.search(query, filters=Filters(kind=Kind.LORA.value))
    assert {match.kind for match in matches} == {"lora"}
    assert matches[0].name == "red right"
    assert matches[0].relevance > matches[-1].relevance


def test_the_explanation_names_the_layout(sides: ModelIndex):
    match = sides.search(Query(images=[picture("red", True)], respect_layout=True))[0]
    assert [entry.label for entry in match.explanation] == ["1 image", "layout of 1 image"]


def test_a_combined_query_respects_the_layout_where_a_part_asks_for_it():
    part = Query(images=[picture("red", True)], respect_layout=True)
    assert combined([(part, 1.0), (Query(text=["red"]), 1.0)]).respect_layout
    assert not combined([(Query(text=["red"]), 1.0), (part, -1.0)]).respect_layout
