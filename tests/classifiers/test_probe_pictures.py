"""What is asked by default: pictures of base models as large as they were made, subjects, and some of the user's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ProbeSettings, index_classifiers, probe_pictures
from modelsearch_core.classifiers.probe_pictures import ProbePictures, choose_probes, probes_in_use
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.indexing.progress import silent
from modelsearch_core.model_files import ModelFile
from modelsearch_core.pictures import FOLDERS
from tests.indexing.folders import make_folder
from tests.making import classifiers as making
from tests.making.fakes import ColourEncoder, ColourGenerator

LARGE, SAMPLES = 288, 2  # pixels; the catalog keeps 256
SUBJECTS = 3


@pytest.fixture(autouse=True)
def subjects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few small ones in place of those that are bundled."""
    monkeypatch.setattr(probe_pictures, "BUNDLED", making.probe_pictures(tmp_path / "subjects", SUBJECTS))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A base model and a LoRA, generated from."""
    make_folder(tmp_path / "models", ["base checkpoint", "red"])

    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models, size=LARGE)

    engine = Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image
    )
    with Catalog(tmp_path / "catalog.sqlite") as opened:
        index(opened, [tmp_path / "models"], engine, IndexSettings(samples=SAMPLES))
    return tmp_path / "catalog.sqlite"


def chosen(catalog: Path, beside: Sequence[Path] = (), most: int = 4000) -> ProbePictures:
    with Catalog(catalog) as opened:
        return choose_probes(opened, ColourEncoder(), None, silent, most, beside=beside)


def test_base_models_pictures_are_as_large_as_they_were_made(catalog: Path):
    probes = chosen(catalog)
    made = [n for n, source in enumerate(probes.sources) if source.startswith("base checkpoint #")]
    assert len(made) == SAMPLES
    assert {probes.picture(n).size for n in made} == {(LARGE, LARGE)}
    assert not [source for source in probes.sources if source.startswith("red")]  # a LoRA's show what it was made for
    assert len([source for source in probes.sources if source.startswith("subject ")]) == SUBJECTS


def test_what_was_kept_smaller_is_taken_as_it_is(catalog: Path, tmp_path: Path):
    for picture in (tmp_path / "catalog.probes" / "generated").rglob("*.webp"):
        picture.write_bytes(b"broken")
    probes = chosen(catalog)
    assert {probes.picture(n).size for n, source in enumerate(probes.sources) if "#" in source} == {(256, 256)}


def test_users_pictures_are_mixed_in_and_all_are_thinned(catalog: Path, tmp_path: Path):
    own = making.probe_pictures(tmp_path / "own" / "2026", 40)
    (own / "notes.png").write_text("no picture")
    probes = chosen(catalog, [tmp_path / "own"])
    assert sum(source.startswith(str(own)) for source in probes.sources) == 40
    few = chosen(catalog, [tmp_path / "own"], most=25)
    assert len(few) == 25 == len(list(few.folder.iterdir()))
    assert len(chosen(catalog, [tmp_path / "own"], most=10)) == 10


def test_the_folders_that_the_index_looks_at_are_those_of_the_user(catalog: Path, tmp_path: Path):
    own = making.probe_pictures(tmp_path / "own", 12)
    making.classifier(tmp_path / "classifiers" / "a.onnx", ["red", "blue"])
    with Catalog(catalog) as opened:
        opened.put_setting(FOLDERS, json.dumps([str(own)]))
        index_classifiers(opened, [tmp_path / "classifiers"], ColourEncoder(), "colours")
        first = probes_in_use(opened)
        settings = ProbeSettings(refresh=True, pictures=[])
        index_classifiers(opened, [tmp_path / "classifiers"], ColourEncoder(), "colours", settings)
        second = probes_in_use(opened)
    assert first is not None and second is not None
    assert [source for source in first.sources if source.startswith(str(own))]
    assert not [source for source in second.sources if source.startswith(str(own))]
