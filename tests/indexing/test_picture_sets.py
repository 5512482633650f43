"""Folders of pictures in the place of models that are not here."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import Engine, IndexSettings, Report, index, outstanding
from modelsearch_core.model_files import Kind, ModelFile
from modelsearch_core.search import Filters, ModelIndex, Query
from modelsearch_core.specification import Evidence
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, ColourEncoder, ColourGenerator


class Bench:
    def __init__(self, folder: Path) -> None:
        self.sets, self.models = folder / "galleries", folder / "models"
        self.catalog = Catalog(folder / "catalog.sqlite")
        self.paint("Red_Gallery", "red")
        self.paint("blue", "blue")
        make_folder(self.models, ["red lora", "a checkpoint"])

    def paint(self, name: str, colour: str, count: int = 3) -> None:
        (self.sets / name / "deep").mkdir(parents=True, exist_ok=True)
        for n in range(count):
            picture = Image.new("RGB", (32, 32), "grey")
            picture.paste(COLOURS[colour], (0, 0, 8 + 8 * n, 32))
            picture.save(self.sets / name / ("deep" if n else "") / f"{n}.png")

    def run(self, sets: Sequence[Path] | None = None, **settings: object) -> Report:
        engine = Engine(
            encoder=ColourEncoder(), encoder_source="colours", generator_for=ColourGenerator, draw=lambda image: image
        )
        chosen = IndexSettings(picture_sets=sets, **settings)  # type: ignore[arg-type]
        return index(self.catalog, [self.models], engine, chosen)

    def known(self) -> dict[str, ModelFile]:
        return {model.title: model for model in self.catalog.models() if model.kind is Kind.PICTURES}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_sub_folder_is_a_model_with_samples(bench: Bench):
    report = bench.run([bench.sets], samples=2)
    assert set(bench.known()) == {"Red Gallery", "blue"}
    assert report.models == 4
    assert not report.failed
    keys = bench.catalog.specification_keys("colours:1")
    told = {(of.value, n) for f, _, of, n in keys if f == bench.known()["blue"].fingerprint}
    assert told == {("pictures", 2), ("metadata", 1)}  # two of three look alike


def test_it_is_searched_beside_generated_models_and_as_good_as_they_are(bench: Bench):
    bench.run([bench.sets], samples=2)
    with ModelIndex(Catalog(bench.catalog.path, read_only=True), ColourEncoder()) as opened:
        first = opened.search(Query(text=["blue"]))[0]
        assert (first.kind, first.evidence, first.guessed) == ("pictures", Evidence.PICTURES, False)
        assert [match.kind for match in opened.search(Query(text=["red"]), filters=Filters(kind="lora"))] == ["lora"]
        assert opened.search(Query(like=["Red Gallery"]))[0].name == "red lora"
        assert opened.collection.levels[opened.row("blue")] == 0


def test_nothing_is_generated_from_it(bench: Bench):
    bench.run([bench.sets], quick=True)
    models = outstanding(bench.catalog, ColourEncoder(), ColourGenerator(bench.catalog.models()))
    assert {model.kind for model in models} == {Kind.LORA, Kind.CHECKPOINT}


def test_a_set_that_grows_stays_the_same_model_and_is_looked_at_again(bench: Bench):
    bench.run([bench.sets], quick=True)
    before = bench.known()["blue"]
    bench.paint("blue", "blue", 5)
    bench.run(quick=True)
    after = bench.known()["blue"]
    assert after.fingerprint == before.fingerprint
    keys = bench.catalog.specification_keys("colours:1")
    assert [n for f, _, of, n in keys if f == after.fingerprint and of is Evidence.PICTURES] == [3]


def test_a_set_is_gone_with_its_folder_and_all_are_without_any_folder(bench: Bench):
    bench.run([bench.sets], quick=True)
    shutil.rmtree(bench.sets / "blue")
    bench.run(quick=True)
    assert set(bench.known()) == {"Red Gallery"}
    bench.run([], quick=True)
    assert bench.known() == {}


def test_sets_out_of_reach_stay_and_it_is_told(bench: Bench):
    bench.run([bench.sets], quick=True)
    bench.sets.rename(bench.sets.with_name("unmounted"))
    bench.run(quick=True)
    assert set(bench.known()) == {"Red Gallery", "blue"}
    assert [file.path for file in bench.catalog.skipped()] == [bench.sets]
    assert len(ModelIndex(Catalog(bench.catalog.path, read_only=True), ColourEncoder()).collection) == 4
    bench.sets.with_name("unmounted").rename(bench.sets)
    bench.run(quick=True)
    assert bench.catalog.skipped() == []


def test_a_set_without_a_picture_that_can_be_read_does_no_harm(bench: Bench):
    (bench.sets / "broken").mkdir()
    (bench.sets / "broken" / "1.png").write_bytes(b"no picture")
    (bench.sets / "empty").mkdir()
    bench.run([bench.sets], quick=True)
    assert "empty" not in bench.known()
    with ModelIndex(Catalog(bench.catalog.path, read_only=True), ColourEncoder()) as opened:
        entry = opened.collection.entries[opened.row("broken")]
        assert entry.evidence is Evidence.METADATA
