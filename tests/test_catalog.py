"""The catalog keeps what was measured, whatever happens in between."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog, database
from modelsearch_core.catalog.migrations import STEPS
from modelsearch_core.catalog.records import from_webp, to_webp
from modelsearch_core.catalog.spatial_maps import SpatialMap
from modelsearch_core.catalog.weight_sketches import Sketch
from modelsearch_core.errors import CatalogFaultError, EmptyCatalogError, ModelSearchError
from modelsearch_core.model_files import Kind, SkippedFile
from modelsearch_core.model_files.written import file_from_json, file_to_json
from modelsearch_core.places import Place
from modelsearch_core.probes import Probe, ProbeSet
from modelsearch_core.specification import Evidence, Specification
from tests.making.fakes import model_file


@pytest.fixture
def catalog(new_place: Callable[[], Place]) -> Iterator[Catalog]:
    """In a file, and on a server: whatever is tested of one is tested of both."""
    with Catalog(new_place()) as catalog:
        catalog.put_encoder("e", "source", 4)
        yield catalog


def specification(fingerprint: str = "a", rows: int = 3, **others: object) -> Specification:
    Z = np.random.default_rng(rows).normal(size=(rows, 4)).astype(np.float16)
    values = {"digest": "d", "encoder": "e", "evidence": Evidence.GENERATED, "numbers": np.arange(rows, dtype=np.int32)}
    return Specification(fingerprint=fingerprint, Z=Z, **{**values, **others})


def test_a_model_file_comes_back_as_it_was(catalog: Catalog):
    model = model_file("Grünspan 1", trigger_words=("a", "b"), preview=Path("x.png"), kind=Kind.CHECKPOINT)
    skipped = SkippedFile(path=Path("broken.safetensors"), reason="truncated")
    catalog.put_files([model, skipped])
    assert set(catalog.files()) == {model, skipped}
    assert catalog.models() == [model]


def test_what_earlier_versions_knew_of_a_file_is_passed_over():
    model = model_file("ink")
    record = json.loads(file_to_json(model)) | {"downloads": 4321}
    assert file_from_json(json.dumps(record)) == model


def test_a_specification_comes_back_bit_by_bit(catalog: Catalog):
    stored = specification(drawings=np.ones((3, 4), np.float16), strength=0.5, consistency=0.25)
    catalog.put_specification(stored)
    found = catalog.specification("a", "d", "e")
    assert found is not None
    assert np.array_equal(found.Z, stored.Z)
    assert np.array_equal(found.numbers, stored.numbers)
    assert found.drawings is not None
    assert np.array_equal(found.drawings, np.ones((3, 4)))
    assert (found.strength, found.consistency) == (0.5, 0.25)
    assert catalog.specification("a", "other", "e") is None


@pytest.mark.parametrize("numbers", [[0, 1, 2], [2, 0, 5], [1, 2, 3]])
def test_the_numbers_of_samples_come_back(catalog: Catalog, numbers: list[int]):
    catalog.put_specification(specification(numbers=np.array(numbers)))
    found = catalog.specification("a", "d", "e")
    assert found is not None and found.numbers.tolist() == numbers
    packed = catalog.packed_rows("e", [("a", "d")])["a", "d"]
    assert np.frombuffer(packed.numbers, np.int32).tolist() == numbers


def test_the_stored_mean_is_the_mean_of_the_samples(catalog: Catalog):
    stored = specification(rows=5)
    catalog.put_specification(stored)
    assert np.allclose(catalog.means("e")["a", "d"], stored.Z.astype(np.float32).mean(axis=0), atol=1e-3)


def test_a_probe_set_comes_back_with_its_digest(catalog: Catalog):
    probes = (Probe("a cat", 1), Probe("a dog", 2, with_trigger=True))
    values = {"width": 8, "height": 8, "steps": 2, "guidance": 3.0, "sampler": "s", "generator": "g"}
    probe_set = ProbeSet(probes=probes, trigger_words=("zz",), **values)
    catalog.put_probe_set(probe_set)
    found = catalog.probe_sets()[probe_set.digest]
    assert found == probe_set
    assert found.prompt(1) == "zz, a dog"


def test_all_of_a_transaction_is_stored_or_nothing(catalog: Catalog):
    with pytest.raises(RuntimeError), catalog.transaction():
        catalog.put_specification(specification())
        catalog.put_samples("a", "d", {0: b"x"})
        raise RuntimeError
    assert catalog.specification("a", "d", "e") is None
    assert catalog.sample_numbers("a", "d") == []
    catalog.put_specification(specification())
    assert catalog.specification("a", "d", "e") is not None


def test_a_reader_sees_what_a_writer_has_committed_and_only_that(catalog: Catalog):
    reader = Catalog(catalog.path, read_only=True)
    before = reader.version()
    with catalog.transaction():
        catalog.put_specification(specification())
        assert reader.specification("a", "d", "e") is None
    assert reader.specification("a", "d", "e") is not None
    assert reader.version() != before


def test_a_reader_cannot_write(catalog: Catalog):
    with pytest.raises(CatalogFaultError, match="write-protected"):
        Catalog(catalog.path, read_only=True).put_setting("a", "b")


def test_of_several_probe_sets_only_the_wanted_is_read(catalog: Catalog):
    for digest in ("d", "other"):
        catalog.put_specification(specification(digest=digest))
    assert list(catalog.specifications("e", [("a", "d")])) == [("a", "d")]
    assert list(catalog.packed_rows("e", [("a", "other")])) == [("a", "other")]


def test_a_generated_specification_ends_a_failure_and_a_preview_does_not(catalog: Catalog):
    catalog.put_failure("a", "black pictures")
    catalog.put_specification(specification(evidence=Evidence.PREVIEW))
    assert catalog.failures() == {"a": "black pictures"}
    catalog.put_specification(specification())
    assert catalog.failures() == {}


def test_forgetting_a_model_leaves_the_others(catalog: Catalog):
    for fingerprint in "ab":
        catalog.put_specification(specification(fingerprint))
        catalog.put_samples(fingerprint, "d", {0: b"x"})
    catalog.forget("a")
    assert [key[0] for key in catalog.specification_keys("e")] == ["b"]
    assert catalog.sample("b", "d", 0) == b"x"


def test_a_small_picture_is_kept_without_loss():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(from_webp(to_webp(Image.fromarray(pixels)))), pixels)


def test_a_file_that_is_no_catalog_is_refused_by_name(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("this is not a database, it is a text that is long enough to be read as one" * 20)
    with pytest.raises(ModelSearchError, match=r"notes\.txt cannot be used as a catalog.*--catalog"):
        Catalog(path)


def test_a_missing_catalog_says_how_to_make_it(tmp_path: Path):
    with pytest.raises(EmptyCatalogError, match=r"there is no catalog at .*none\.sqlite yet") as caught:
        Catalog(tmp_path / "none.sqlite", read_only=True)
    assert caught.value.command == "modelsearch index FOLDER"


def test_a_newer_catalog_is_left_alone(tmp_path: Path):
    Catalog(tmp_path / "c.sqlite").close()
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    with pytest.raises(ModelSearchError, match=r"newer Model Search .schema 99"):
        Catalog(tmp_path / "c.sqlite")


def test_the_state_changes_with_measurements_and_files_and_not_with_settings(catalog: Catalog):
    states = [catalog.state()]
    catalog.put_specification(specification())
    states.append(catalog.state())
    catalog.put_specification(specification(rows=5))
    states.append(catalog.state())
    catalog.put_files([model_file("a")])
    states.append(catalog.state())
    assert len(set(states)) == 4
    catalog.put_setting("name", "value")
    assert catalog.state() == states[-1]


def test_a_catalog_that_is_just_being_made_is_empty(tmp_path: Path):
    sqlite3.connect(tmp_path / "c.sqlite").execute("PRAGMA journal_mode = WAL")
    with pytest.raises(EmptyCatalogError, match="not ready to be read"):
        Catalog(tmp_path / "c.sqlite", read_only=True)


@pytest.fixture
def of_the_first_step(tmp_path: Path) -> Path:
    """A catalog as the first version wrote it, with a measurement."""
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path)
    STEPS[0](connection)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO encoder VALUES ('e', 'source', 4)")
    connection.execute(
        "INSERT INTO specification (fingerprint, digest, encoder, evidence, samples, mean, numbers, z) "
        "VALUES ('a', 'd', 'e', 'generated', 1, zeroblob(16), zeroblob(4), zeroblob(8))"
    )
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("read_only", [False, True])
def test_a_catalog_of_the_first_step_keeps_its_rows_and_learns_of_maps(of_the_first_step: Path, read_only: bool):
    with Catalog(of_the_first_step, read_only=read_only) as catalog:
        assert [key[0] for key in catalog.specification_keys("e")] == ["a"]
        assert catalog.spatial.encoders() == []
    with Catalog(of_the_first_step) as catalog:
        catalog.spatial.put(spatial_map())
        assert catalog.spatial.samples("s") == {("a", "d"): 3}


def test_a_catalog_of_the_ninth_step_keeps_its_sketches_and_learns_of_bases(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "old.sqlite")
    for step in STEPS[:9]:
        step(connection)
    connection.execute("PRAGMA user_version = 9")
    connection.execute("INSERT INTO sketched_layers VALUES ('l', '[\"layer\"]')")
    connection.execute("INSERT INTO weight_sketch VALUES ('a', 2, 'l', 1.0, ?)", (np.ones(4, np.float16).tobytes(),))
    connection.commit()
    connection.close()
    with Catalog(tmp_path / "old.sqlite") as catalog:
        kept = catalog.sketches.get(["a"], 2)["a"]
        assert (kept.names, kept.s.tolist(), kept.base, kept.without_magnitude) == (("layer",), [[1.0] * 4], None, 0)
        catalog.sketches.put("a", 2, Sketch(("layer",), kept.s, "base", 1))
        assert catalog.sketches.known(2) == {"a": "base"}
        assert catalog.sketches.without_magnitude(2) == {"a"}


def test_a_catalog_of_the_tenth_step_keeps_rows_in_bytes_as_they_were(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "old.sqlite")
    for step in STEPS[:10]:
        step(connection)
    connection.execute("PRAGMA user_version = 10")
    connection.execute("INSERT INTO encoder VALUES ('e', 'source', 2)")
    z = np.array([[0.5, -1], [2**-7, 2**-9]], np.float16).tobytes() + np.arange(-8, 8, dtype=np.int8).tobytes()
    connection.execute(
        "INSERT INTO specification (fingerprint, digest, encoder, evidence, samples, mean, numbers, packing, z) "
        "VALUES ('a', 'd', 'e', 'generated', 8, '', ?, 1, ?)",
        (np.arange(1, 9, dtype=np.int32).tobytes(), z),
    )
    connection.commit()
    connection.close()
    with Catalog(tmp_path / "old.sqlite") as catalog:
        found = catalog.specification("a", "d", "e")
    assert found is not None and found.numbers.tolist() == [*range(1, 9)]
    assert found.Z.tolist() == [[0.5 + a / 128, -1 + b / 512] for a, b in np.arange(-8, 8).reshape(8, 2).tolist()]


def test_an_old_catalog_that_is_write_protected_says_so(of_the_first_step: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: Path) -> sqlite3.Connection:
        raise CatalogFaultError("write-protected")

    monkeypatch.setattr(database, "_open_writer", refuse)
    with pytest.raises(ModelSearchError, match=r"older Model Search .schema 1, .*name the copy with --catalog"):
        Catalog(of_the_first_step, read_only=True)


def spatial_map(fingerprint: str = "a", **others: object) -> SpatialMap:
    rows = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float16)
    values = {"digest": "d", "encoder": "s", "samples": 3, "mean": rows[0], "single": rows[1:]}
    return SpatialMap(fingerprint=fingerprint, **{**values, **others})


def test_a_spatial_map_comes_back_bit_by_bit(catalog: Catalog):
    stored = spatial_map()
    catalog.spatial.put(stored)
    found = catalog.spatial.get("a", "d", "s")
    assert found is not None
    assert np.array_equal(found.mean, stored.mean)
    assert np.array_equal(found.single, stored.single)
    assert found.samples == 3
    assert catalog.spatial.get("a", "d", "another") is None


def test_the_spatial_encoder_with_most_maps_comes_first(catalog: Catalog):
    for name in ("few", "many"):
        catalog.spatial.put_encoder(name, f"source of {name}", 8)
    for fingerprint in "ab":
        catalog.spatial.put(spatial_map(fingerprint, encoder="many"))
    catalog.spatial.put(spatial_map(encoder="few"))
    assert [name for name, _, _ in catalog.spatial.encoders()] == ["many", "few"]


def test_a_forgotten_model_loses_its_map_and_the_state_tells(catalog: Catalog):
    states = [catalog.state()]
    for fingerprint in "ab":
        catalog.spatial.put(spatial_map(fingerprint))
    states.append(catalog.state())
    catalog.forget("a")
    states.append(catalog.state())
    assert len(set(states)) == 3
    assert catalog.spatial.samples("s") == {("b", "d"): 3}


def test_nobody_sees_a_catalog_that_is_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Who did took it for one of an older version, and made a copy of it."""
    seen: list[tuple[int, int]] = []

    def look(connection: database.Connection) -> None:
        with closing(sqlite3.connect(tmp_path / "new.sqlite")) as another:
            version, tables = "PRAGMA user_version", "SELECT count(*) FROM sqlite_master"
            seen.append((another.execute(version).fetchone()[0], another.execute(tables).fetchone()[0]))
        STEPS[4](connection)

    monkeypatch.setattr(database, "STEPS", (*STEPS[:4], look, *STEPS[5:]))
    with Catalog(tmp_path / "new.sqlite") as catalog:
        assert catalog.models() == []
    assert seen == [(0, 0)]


def test_what_is_written_or_read_of_one_model_looks_at_no_other(tmp_path: Path):
    said: list[str] = []
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        catalog.put_encoder("e", "source", 4)
        catalog._connection.set_trace_callback(said.append)
        catalog.put_specification(specification(rows=9, drawings=np.ones((9, 4), np.float16)))
        assert catalog.packed_rows("e", [("a", "d")]) and catalog.specifications("e", [("a", "d"), ("b", "d")])
        catalog._connection.set_trace_callback(None)
        changing = [sql for sql in said if sql.split()[0] in ("DELETE", "UPDATE", "INSERT", "SELECT", "WITH")]
        plans = [row[3] for sql in changing for row in catalog._connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("statistic" in plan for plan in plans)
    assert any("specification" in plan for plan in plans)
    of_tables = [plan for plan in plans if "CONSTANT" not in plan and "wanted" not in plan]
    assert all(plan.startswith("SEARCH") for plan in of_tables), plans
    assert not any(plan.endswith("(encoder=?)") for plan in plans), plans
