"""A lineage is asked for like an architecture: on the command line, in the panel, in nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.families import FAMILIES_AND_LINEAGES
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.search import Filters, ModelIndex, Query
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.making.model_files import kohya_lora, sd_checkpoint, write_safetensors

HINTS = {"red": "Pony", "green": "Illustrious", "blue": None}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lineages")
    write_safetensors(folder / "models" / "base checkpoint.safetensors", sd_checkpoint(2048))
    for number, (name, hint) in enumerate(HINTS.items()):
        path = write_safetensors(folder / "models" / f"{name}.safetensors", kohya_lora(2048), seed=number)
        if hint:
            path.with_suffix(".civitai.info").write_text(json.dumps({"baseModel": hint}))
    engine = Engine(
        encoder=ColourEncoder(),
        encoder_source="colours",
        generator_for=ColourGenerator,
        draw=lambda image: image,
    )
    with Catalog(folder / "catalog.sqlite") as opened:
        index(opened, [folder / "models"], engine, IndexSettings(samples=4))
    return folder / "catalog.sqlite"


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("sdxl", {"base checkpoint", "red", "green", "blue"}),
        ("pony", {"red"}),
        ("illustrious", {"green"}),
        ("noobai", set()),
    ],
)
def test_a_lineage_is_a_filter_within_its_architecture(catalog: Path, wanted: str, names: set[str]) -> None:
    opened = ModelIndex.open(catalog, encoder=ColourEncoder())
    assert wanted in FAMILIES_AND_LINEAGES
    assert {match.name for match in opened.search(Query(text=["red"]), filters=Filters(architecture=wanted))} == names
    assert {model.name for model in opened.models() if Filters(architecture=wanted).passes(model)} == names


def test_a_match_and_a_model_say_their_lineage(catalog: Path) -> None:
    opened = ModelIndex.open(catalog, encoder=ColourEncoder())
    match = opened.search(Query(text=["red"]), filters=Filters(architecture="pony"))[0]
    assert (match.to_json()["lineage"], match.to_json()["architecture"]) == ("pony", "sdxl")
    assert opened.describe("green").to_json()["lineage"] == "illustrious"
