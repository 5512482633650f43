"""A copy of a catalog answers as the catalog does, wherever it lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.copying import copy
from modelsearch_core.cli import main
from modelsearch_core.errors import CatalogFaultError, EmptyCatalogError, ModelSearchError
from modelsearch_core.places import DatabaseServer, Place
from modelsearch_core.search import ModelIndex, Query
from modelsearch_core.specification import Evidence, Specification
from tests.making.collections import SAMPLES, fill_catalog
from tests.making.fakes import ColourEncoder, model_file

COUNT = 23


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("collection") / "catalog.sqlite"
    fill_catalog(path, COUNT)
    with Catalog(path) as catalog:
        catalog.put_failure("gone", "black pictures")
        catalog.claims.take("at work")
    return path


def answers(place: Place) -> list[tuple[str, float]]:
    with ModelIndex.open(place, encoder=ColourEncoder()) as index:
        return [(match.id, match.score) for match in index.search(Query(text=["green"]), k=COUNT)]


def specifications(place: Place) -> list[tuple[object, ...]]:
    with Catalog(place, read_only=True) as catalog:
        keys = [(fingerprint, digest) for fingerprint, digest, *_ in catalog.specification_keys(ColourEncoder.name)]
        found = [catalog.specification(*key, ColourEncoder.name) for key in keys]
        shown = [catalog.sample(*key, 1) for key in keys]
    return [(of.fingerprint, of.Z.tobytes(), picture) for of, picture in zip(found, shown, strict=True) if of]


def test_a_copy_holds_the_same_bit_by_bit_there_and_back(
    collection: Path, new_place: Callable[[], Place], tmp_path: Path
):
    there, back = new_place(), tmp_path / "back.sqlite"
    rows: list[int] = []
    counts = copy(collection, there, on_rows=rows.append)
    assert (counts["file"], counts["specification"], counts["sample"]) == (COUNT, COUNT, SAMPLES * COUNT)
    assert sum(rows) == sum(counts.values())
    copy(there, back)
    assert specifications(back) == specifications(there) == specifications(collection)
    assert answers(back) == answers(there) == answers(collection)
    with Catalog(there) as catalog:
        assert catalog.failures() == {"gone": "black pictures"}
        assert catalog.claims.take("at work")


def test_pictures_may_lie_in_a_folder_that_all_machines_see(
    collection: Path, new_place: Callable[[], Place], tmp_path: Path
):
    there, back, store = new_place(), tmp_path / "back.sqlite", tmp_path / "pictures"
    copy(collection, there, store.as_uri())
    assert len(list(store.rglob("*.webp"))) == SAMPLES * COUNT
    assert specifications(there) == specifications(collection)
    with Catalog(there) as catalog:
        fingerprint, digest, *_ = catalog.specification_keys(ColourEncoder.name)[0]
        catalog.put_samples(fingerprint, digest, {7: b"RIFF another"})
        assert (store / fingerprint / digest / "7.webp").read_bytes() == b"RIFF another"
        assert len(catalog.sample_images(*catalog.specification_keys(ColourEncoder.name)[1][:2])) == SAMPLES
        catalog.remove_specification(fingerprint, digest)
        assert not (store / fingerprint / digest).exists()
    copy(there, back)
    assert specifications(back) == specifications(collection)[1:]


def test_a_place_for_pictures_that_cannot_be_used_is_named(collection: Path, tmp_path: Path):
    with pytest.raises(CatalogFaultError, match=r"pictures at nonsense://there cannot be used .*--pictures URL"):
        copy(collection, tmp_path / "copy.sqlite", "nonsense://there")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_holds_a_catalog_is_left_alone(collection: Path, new_place: Callable[[], Place], tmp_path: Path):
    there = new_place()
    copy(collection, there)
    with pytest.raises(ModelSearchError, match="holds a catalog already; name a new one"):
        copy(collection, there)
    with pytest.raises(EmptyCatalogError, match="there is no catalog at"):
        copy(tmp_path / "none.sqlite", tmp_path / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()


def test_a_copy_that_is_broken_off_leaves_nothing(collection: Path, new_place: Callable[[], Place]):
    there = new_place()

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(collection, there, on_rows=stop)
    copy(collection, there)
    assert specifications(there) == specifications(collection)
    if isinstance(there, Path):
        assert [file.name for file in there.parent.iterdir() if "part" in file.name] == []


def test_what_was_learned_goes_along(collection: Path, new_place: Callable[[], Place], tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MODELSEARCH_HOME", str(tmp_path / "home"))
    first, there, back = tmp_path / "first.sqlite", new_place(), tmp_path / "back.sqlite"
    copy(collection, first)
    (tmp_path / "matching.safetensors").write_bytes(b"learned")
    with Catalog(first) as catalog:
        catalog.put_setting("matching", "matching.safetensors")
    copy(first, there)
    copy(there, back)
    for place in (there, back):
        with Catalog(place, read_only=True) as catalog:
            name = catalog.setting("matching")
            assert name is not None
            assert (catalog.beside.parent / name).read_bytes() == b"learned"


def test_the_command_line_copies_and_searches_a_servers_catalog(
    collection: Path, postgres, capsys: pytest.CaptureFixture[str]
):
    place = DatabaseServer(postgres.new_database())
    assert main(["copy", str(collection), place.url]) == 0
    assert f"{place}: {COUNT} files, {COUNT} measurements, {SAMPLES * COUNT} pictures" in capsys.readouterr().out
    assert main(["list", "--catalog", place.url]) == 0
    assert "00001 green" in capsys.readouterr().out
    assert main(["status", "--catalog", place.url, "--json"]) == 0
    assert f'"catalog": "{place}"' in capsys.readouterr().out
    assert main(["repair", "--catalog", place.url]) == 2
    assert "the server's to repair" in capsys.readouterr().err
    assert main(["copy", str(collection), place.url]) == 2


def test_an_export_holds_what_another_engine_searches_by(
    collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "models.parquet"
    assert main(["export", str(file), "--catalog", str(collection)]) == 0
    assert capsys.readouterr().out == f"{file}: {COUNT} models\n"
    table = parquet.read_table(file)
    assert table.schema.metadata[b"encoder"] == ColourEncoder.name.encode()
    rows = table.to_pylist()
    with ModelIndex.open(collection, encoder=ColourEncoder()) as index:
        for row in rows:
            m = index.collection.row_of[row["fingerprint"]]
            for name, values in (("mean", index.statistics.means), ("drawn_mean", index.statistics.drawn_means)):
                assert np.allclose(row[name], values[m], atol=1e-6)
            direction = index.statistics.directions[m]
            assert np.allclose(row["direction"], direction / np.linalg.norm(direction), atol=1e-5)
    (green,) = [row for row in rows if row["name"] == "00001 green"]
    assert green["paths"] == ["/models/1/00001 green.safetensors"]
    assert all(row["words"] is None for row in rows)


def test_a_model_known_by_words_is_exported_with_these_alone(tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    place, file, model, encoder = tmp_path / "c.sqlite", tmp_path / "models.parquet", model_file("a"), ColourEncoder()
    said = Specification(
        fingerprint=model.fingerprint,
        digest="words:1",
        encoder=encoder.name,
        evidence=Evidence.METADATA,
        Z=encoder.encode_texts(["green"]),
        numbers=np.zeros(1, np.int32),
    )
    with Catalog(place) as catalog:
        catalog.put_encoder(encoder.name, "colours", encoder.dimension)
        catalog.put_files([model, model_file("b")])
        catalog.put_specification(said)
    assert main(["export", str(file), "--catalog", str(place)]) == 0
    worded, unknown = sorted(parquet.read_table(file).to_pylist(), key=lambda row: row["name"])
    assert np.allclose(worded["words"], encoder.encode_texts(["green"])[0], atol=1e-3)
    assert [worded[name] for name in ("mean", "direction", "drawn_mean")] == [None, None, None]
    assert (unknown["evidence"], unknown["words"], unknown["mean"]) == (None, None, None)


@pytest.mark.parametrize("evidence", [Evidence.PICTURES, Evidence.PREVIEW])
def test_a_model_known_by_pictures_of_others_is_exported_with_their_mean(tmp_path: Path, evidence: Evidence):
    parquet = pytest.importorskip("pyarrow.parquet")
    place, file, model, encoder = tmp_path / "c.sqlite", tmp_path / "models.parquet", model_file("a"), ColourEncoder()
    seen = Specification(
        fingerprint=model.fingerprint,
        digest="seen",
        encoder=encoder.name,
        evidence=evidence,
        Z=encoder.encode_texts(["green", "green"]),
        numbers=np.arange(2, dtype=np.int32),
    )
    with Catalog(place) as catalog:
        catalog.put_encoder(encoder.name, "colours", encoder.dimension)
        catalog.put_files([model])
        catalog.put_specification(seen)
    assert main(["export", str(file), "--catalog", str(place)]) == 0
    (row,) = parquet.read_table(file).to_pylist()
    assert np.allclose(row["mean"], encoder.encode_texts(["green"])[0], atol=1e-3)


def test_an_export_is_a_parquet_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["export", str(tmp_path / "models.txt"), "--catalog", str(tmp_path / "none.sqlite")]) == 2
    assert "must end in .parquet" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
@pytest.mark.skipif(sys.platform == "win32", reason="makes them as Unix does")
def test_what_is_no_file_is_not_written_over(
    collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
):
    place = tmp_path / "there.parquet"
    {"folder": place.mkdir, "pipe": lambda: os.mkfifo(place), "link": lambda: place.symlink_to("nowhere")}[what]()
    before = place.lstat()
    for words in (["copy", str(collection), str(place)], ["export", str(place), "--catalog", str(collection)]):
        assert main(words) == 2
        assert "there.parquet is there already and is no file; name a new one" in capsys.readouterr().err
    assert (place.lstat().st_ino, list(tmp_path.iterdir())) == (before.st_ino, [place])


def test_a_folder_for_pictures_is_named_as_a_url(collection: Path, tmp_path: Path):
    """Else it would be another folder wherever the copy is used."""
    with pytest.raises(ModelSearchError, match=r"--pictures shown is no URL; write file:///.*/shown for"):
        copy(collection, tmp_path / "new.sqlite", "shown")
