"""Rows stay with the weights that they were measured from, however alike two files look at a few kilobytes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import Engine, IndexSettings, Progress, Report, Step, index, silent
from modelsearch_core.indexing import identity as identity_module
from modelsearch_core.model_files import ModelFile, candidates, read_model_file
from modelsearch_core.model_files.weights import weights_hash, weights_state
from modelsearch_core.search import ModelIndex
from modelsearch_core.specification import Evidence
from tests.indexing.folders import CHECKPOINT, LORA, make_folder
from tests.making.fakes import ColourEncoder, ColourGenerator
from tests.making.model_files import write_pipeline, write_safetensors

DOWN, UP = f"{LORA}.lora_down.weight", f"{LORA}.lora_up.weight"


def large_lora(path: Path, title: str = "red", seed: int = 0) -> Path:
    """A LoRA of 4 MB, of which a fingerprint sees 64 KB."""
    rng = np.random.default_rng(seed)
    tensors = {DOWN: rng.normal(size=(2048, 768)), UP: rng.normal(size=(320, 2048))}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.astype(np.float16) for name, value in tensors.items()}, path, {"ss_output_name": title})
    return path


def edited(path: Path, target: Path, title: str = "red") -> Path:
    """The same LoRA with a row of one tensor zeroed, in between what a fingerprint looks at."""
    before = read_model_file(path).fingerprint
    tensors = load_file(path)
    for row in range(100, 200):
        tensors[DOWN][row] = 0
        save_file(tensors, target, {"ss_output_name": title})
        if read_model_file(target).fingerprint == before:
            return target
        tensors = load_file(path)
    raise AssertionError("every row is looked at")


class Harness:
    """A folder, its catalog, and a generator that counts what it is asked."""

    def __init__(self, root: Path) -> None:
        self.folder, self.catalog_path = root / "models", root / "catalog.sqlite"
        make_folder(self.folder, ["base checkpoint"])
        self.asked: list[str] = []
        self.before_batch: Callable[[ModelFile], None] = lambda _: None

    def index(self, *, quick: bool = False, progress: Progress = silent) -> Report:
        harness = self

        class Generator(ColourGenerator):
            def paint(self, model: ModelFile, number: int):
                harness.before_batch(model)
                harness.asked.append(model.title)
                return super().paint(model, number)

        def generator_for(models: Sequence[ModelFile]) -> Generator:
            return Generator(models)

        engine = Engine(encoder=ColourEncoder(), encoder_source="c", generator_for=generator_for, draw=lambda i: i)
        with Catalog(self.catalog_path) as catalog:
            return index(catalog, [self.folder], engine, IndexSettings(samples=4, quick=quick), progress)

    def fingerprints(self) -> dict[str, str]:
        with Catalog(self.catalog_path) as catalog:
            return {model.path.name: model.fingerprint for model in catalog.models()}

    def drop(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def test_two_files_with_the_same_claim_and_other_weights_are_two_models(harness: Harness) -> None:
    edited(large_lora(harness.folder / "a.safetensors"), harness.folder / "b.safetensors", "green")
    shutil.copy(harness.folder / "a.safetensors", harness.folder / "a copy.safetensors")
    harness.index()
    found = harness.fingerprints()
    assert found["a.safetensors"] == found["a copy.safetensors"] != found["b.safetensors"]
    assert set(harness.drop()) == {"base checkpoint", "red", "green"}
    with ModelIndex.open(harness.catalog_path, open_encoder=lambda _: ColourEncoder()) as opened:
        assert [sorted(path.name for path in group) for group in opened.exact_duplicates()] == [
            ["a copy.safetensors", "a.safetensors"]
        ]


def test_an_edit_in_place_is_asked_anew_and_the_old_rows_stay(harness: Harness) -> None:
    path = large_lora(harness.folder / "a.safetensors")
    harness.index()
    old = harness.fingerprints()["a.safetensors"]
    harness.drop()
    edited(path, path)
    harness.index()
    new = harness.fingerprints()["a.safetensors"]
    assert new != old == read_model_file(path).fingerprint
    assert harness.drop() == ["red"] * 4
    with Catalog(harness.catalog_path) as catalog:
        measured = {fingerprint for fingerprint, *_ in catalog.specification_keys("colours:1")}
    assert {old, new} <= measured


def test_weights_that_come_back_find_their_rows(harness: Harness, tmp_path: Path) -> None:
    path = large_lora(harness.folder / "a.safetensors")
    kept = shutil.copy(path, tmp_path / "kept.safetensors")
    harness.index()
    first = harness.fingerprints()
    edited(path, path)
    harness.index()
    shutil.copy(kept, path)
    harness.drop()
    harness.index()
    assert (harness.fingerprints(), harness.drop()) == (first, [])


@pytest.mark.parametrize("change", ["metadata", "order", "touch", "rename", "preview"])
def test_what_leaves_the_weights_alone_generates_nothing_again(harness: Harness, change: str) -> None:
    path = large_lora(harness.folder / "a.safetensors")
    harness.index()
    first = harness.fingerprints()["a.safetensors"]
    harness.drop()
    if change == "metadata":
        save_file(load_file(path), path, {"ss_output_name": "red", "modelspec.description": "edited"})
    if change == "order":
        write_reversed(path)
    if change == "touch":
        path.touch()
    if change == "rename":
        path = path.rename(path.with_name("b.safetensors"))
    if change == "preview":
        path.with_suffix(".json").write_text('{"description": "x"}')
    harness.index()
    assert (harness.fingerprints()[path.name], harness.drop()) == (first, [])


def write_reversed(path: Path) -> None:
    """The same tensors, the last one first."""
    tensors = load_file(path)
    header: dict[str, object] = {"__metadata__": {"ss_output_name": "red"}}
    at, body = 0, b""
    for name in sorted(tensors, reverse=True):
        content = tensors[name].tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape), "data_offsets": [at, at + len(content)]}
        at, body = at + len(content), body + content
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + body)


def test_a_first_scan_reads_no_weights_as_a_whole(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path, check: Callable[[], None]) -> str:
        read.append(path.name)
        return weights_hash(path, check)

    monkeypatch.setattr(identity_module, "weights_hash", noted)
    for seed in range(3):
        large_lora(harness.folder / f"{seed}.safetensors", seed=seed)
    harness.index(quick=True)
    assert read == []
    shutil.copy(harness.folder / "1.safetensors", harness.folder / "1 copy.safetensors")
    harness.index(quick=True)
    assert sorted(read) == ["1 copy.safetensors", "1.safetensors"]
    harness.index(quick=True)
    assert len(read) == 2


def test_a_file_written_after_the_scan_is_looked_at_again_at_its_turn(harness: Harness) -> None:
    first = large_lora(harness.folder / "a.safetensors", "blue")
    last = large_lora(harness.folder / "last.safetensors", "red", seed=1)
    scanned = read_model_file(last).fingerprint

    def overwrite(model: ModelFile) -> None:
        if model.path == first and read_model_file(last).fingerprint == scanned:
            large_lora(last, "green", seed=2)

    harness.before_batch = overwrite
    report = harness.index()
    now = harness.fingerprints()["last.safetensors"]
    assert now == read_model_file(last).fingerprint != scanned
    assert "green" in harness.asked and "red" not in harness.asked and not report.failed
    with Catalog(harness.catalog_path) as catalog:
        generated = {
            f for f, _, evidence, _ in catalog.specification_keys("colours:1") if evidence is Evidence.GENERATED
        }
    assert now in generated and scanned not in generated


def test_a_file_written_between_its_scan_and_the_last_files_is_read_again(harness: Harness) -> None:
    """Among thousands of files minutes lie between."""
    path = large_lora(harness.folder / "a.safetensors", "red", seed=1)
    scanned = read_model_file(path).fingerprint

    def overwrite(step: Step) -> None:
        if step.stage == "scan" and step.model == path.name:
            large_lora(path, "green", seed=2)

    harness.index(progress=overwrite)
    now = read_model_file(path).fingerprint
    assert harness.fingerprints()[path.name] == now != scanned
    assert "red" not in harness.drop()
    harness.index()
    assert harness.drop() == []
    with Catalog(harness.catalog_path) as catalog:
        assert catalog.identities.get(scanned) is None


def test_a_file_with_two_names_is_not_read_to_know_that_it_is_one(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_module, "weights_hash", lambda *_: pytest.fail("read"))
    path = large_lora(harness.folder / "a.safetensors")
    os.link(path, harness.folder / "b.safetensors")
    (harness.folder / "c.safetensors").symlink_to(path)
    harness.index(quick=True)
    found = harness.fingerprints()
    assert found["a.safetensors"] == found["b.safetensors"] == found["c.safetensors"]


def test_a_file_written_while_it_is_asked_keeps_no_doubtful_pictures(harness: Harness) -> None:
    path = large_lora(harness.folder / "last.safetensors", "red", seed=1)
    scanned = read_model_file(path).fingerprint

    def overwrite(model: ModelFile) -> None:
        if model.path == path and model.fingerprint == scanned:
            large_lora(path, "green", seed=2)

    harness.before_batch = overwrite
    report = harness.index()
    assert not report.failed
    with Catalog(harness.catalog_path) as catalog:
        stored = {f for f, _, evidence, _ in catalog.specification_keys("colours:1") if evidence is Evidence.GENERATED}
        assert scanned not in stored and read_model_file(path).fingerprint in stored
        samples = catalog._connection.execute("SELECT count(*) FROM sample WHERE fingerprint = ?", (scanned,))  # pyright: ignore
        assert samples.fetchone() == (0,)


def test_a_file_that_is_written_without_end_fails_and_stops_nobody(harness: Harness) -> None:
    path = large_lora(harness.folder / "last.safetensors", "red")
    large_lora(harness.folder / "z.safetensors", "blue", seed=9)
    seeds = iter(range(10, 1000))

    def overwrite(model: ModelFile) -> None:
        if model.path == path:
            large_lora(path, "red", seed=next(seeds))

    harness.before_batch = overwrite
    report = harness.index()
    assert "last.safetensors was written while its pictures were made" in report.failed[path]
    assert "blue" in harness.asked


def test_a_base_written_after_the_scan_is_asked_as_it_is(harness: Harness) -> None:
    base = harness.folder / "base checkpoint.safetensors"
    large_lora(harness.folder / "a.safetensors", "red")
    harness.index()
    tensors = load_file(base)
    tensors[CHECKPOINT] = tensors[CHECKPOINT] + np.float16(1)
    large_lora(harness.folder / "b.safetensors", "blue", seed=4)
    old = harness.fingerprints()[base.name]

    def overwrite(stage: object) -> None:
        if cast("object", getattr(stage, "stage", "")) == "words":
            save_file(tensors, base, {"ss_output_name": "base checkpoint"})

    with Catalog(harness.catalog_path) as catalog:
        engine = Engine(
            encoder=ColourEncoder(), encoder_source="c", generator_for=ColourGenerator, draw=lambda i: i
        )  # fmt: skip
        index(catalog, [harness.folder], engine, IndexSettings(samples=4), overwrite)
        new = read_model_file(base).fingerprint
        bases = {probe_set.base for probe_set in catalog.probe_sets().values()}
    assert new != old and new in bases
    assert harness.fingerprints()[base.name] == new


def forget_identities(catalog: Path) -> None:
    """As a catalog is of before they were kept."""
    with sqlite3.connect(catalog) as connection:
        connection.execute("UPDATE identity SET weights = NULL")
        connection.execute("DELETE FROM weights_at")


@pytest.mark.parametrize("change", ["touch", "move", "rename", "reader"])
def test_a_catalog_of_before_hashes_generates_nothing_again(
    harness: Harness, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        large_lora(harness.folder / f"{seed}.safetensors", "red", seed)
    harness.index()
    first = harness.fingerprints()
    forget_identities(harness.catalog_path)
    harness.drop()
    paths = sorted(harness.folder.glob("*.safetensors"))
    if change == "touch":
        for path in paths:
            path.touch()
    if change == "move":  # to another disk
        for path in paths:
            shutil.copyfile(path, harness.folder.parent / path.name)
        shutil.rmtree(harness.folder)
        harness.folder.mkdir()
        for path in paths:
            shutil.move(harness.folder.parent / path.name, path)
    if change == "rename":
        harness.folder = harness.folder.rename(harness.folder.parent / "others")
    if change == "reader":  # a version that reads files better looks at all of them again
        monkeypatch.setattr(candidates, "READER", candidates.READER + 1)
    harness.index()
    assert (harness.fingerprints(), harness.drop()) == (first, [])


def test_of_two_files_that_claim_rows_of_before_hashes_the_first_has_them(harness: Harness) -> None:
    path = large_lora(harness.folder / "a.safetensors")
    harness.index()
    old = harness.fingerprints()[path.name]
    forget_identities(harness.catalog_path)
    harness.drop()
    path = path.rename(path.with_name("b.safetensors"))
    edited(path, path.with_name("c.safetensors"), "green")
    harness.index()
    found = harness.fingerprints()
    assert found["b.safetensors"] == old != found["c.safetensors"]
    assert harness.drop() == ["green"] * 4


def test_rows_of_before_hashes_were_kept_are_no_proof(harness: Harness) -> None:
    path = large_lora(harness.folder / "a.safetensors")
    harness.index()
    forget_identities(harness.catalog_path)
    harness.drop()
    harness.index()
    assert harness.drop() == []  # nothing was written since
    edited(path, path)
    harness.index()
    assert harness.drop() == ["red"] * 4


def test_the_hash_is_of_all_weights_and_of_nothing_else(tmp_path: Path) -> None:
    path = large_lora(tmp_path / "a.safetensors")
    first = weights_hash(path)
    assert weights_hash(edited(path, tmp_path / "b.safetensors")) != first
    save_file(load_file(path), tmp_path / "c.safetensors", {"other": "metadata"})
    assert weights_hash(tmp_path / "c.safetensors") == first
    write_reversed(path)
    assert weights_hash(path) == first
    (tmp_path / "d.ckpt").write_bytes(path.read_bytes())
    assert weights_hash(tmp_path / "d.ckpt") != first


def test_every_file_of_a_model_counts(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "pipeline")
    first, state = weights_hash(folder), weights_state(folder)
    (folder / "README.md").write_text("hello")
    assert (weights_hash(folder), weights_state(folder)) == (first, state)
    write_safetensors(
        folder / "vae/diffusion_pytorch_model.safetensors", {"encoder.conv_in.weight": (8, 3, 3, 3)}, seed=3
    )
    assert weights_hash(folder) != first and weights_state(folder) != state
    shards = [tmp_path / f"x[1]-0000{n}-of-00002.safetensors" for n in (1, 2)]
    for shard in shards:
        write_safetensors(shard, {"a.weight": (4, 4)})
    whole = weights_hash(shards[0])
    write_safetensors(shards[1], {"a.weight": (4, 4)}, seed=1)
    assert weights_hash(shards[0]) != whole
