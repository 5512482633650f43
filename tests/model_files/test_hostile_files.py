"""One bad file never stops the rest, nothing in a file runs, and none takes long."""

from __future__ import annotations

import io
import json
import os
import random
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.trust import hostile_files
from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.model_files import ModelFile, SkippedFile, read_model_file, scan
from modelsearch_core.model_files.annotations import clean_text, clean_words
from modelsearch_core.model_files.pickle_machine import PickleMachine
from modelsearch_core.model_files.pickles import load_pickle, pickle_shapes
from tests.making.model_files import kohya_lora, write_pipeline, write_safetensors

PICKLES = hostile_files.pickles()
NO_PIPES = pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")


def found_in(folder: Path) -> tuple[list[str], dict[str, str]]:
    """(models, reasons for what is none), by file name."""
    everything = list(scan([folder]))
    models = [found.path.name for found in everything if isinstance(found, ModelFile)]
    return models, {found.path.name: found.reason for found in everything if isinstance(found, SkippedFile)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good models before and after `bad` and `pipe` in the order of names."""
    for name in ("a", "z"):
        write_safetensors(tmp_path / f"{name}.safetensors", kohya_lora())
    return tmp_path


@pytest.mark.parametrize("fault", PICKLES)
def test_a_hostile_pickle_is_a_reason_and_no_more(folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "bad.ckpt").write_bytes(PICKLES[fault])
    models, reasons = found_in(folder)
    assert (models, list(reasons)) == (["a.safetensors", "z.safetensors"], ["bad.ckpt"])
    assert "please report" not in reasons["bad.ckpt"]
    assert not Path("modelsearch-was-run").exists()


@pytest.mark.parametrize("suffix", hostile_files.sidecars())
def test_a_hostile_sidecar_hides_no_model(folder: Path, suffix: str) -> None:
    (folder / f"a{suffix}").write_bytes(hostile_files.sidecars()[suffix])
    assert found_in(folder) == (["a.safetensors", "z.safetensors"], {})


@pytest.mark.parametrize("suffix", hostile_files.previews())
def test_a_preview_of_any_name_hides_no_model(folder: Path, suffix: str) -> None:
    (folder / f"a{suffix}").write_bytes(hostile_files.previews()[suffix])
    assert found_in(folder) == (["a.safetensors", "z.safetensors"], {})


@pytest.mark.parametrize("fault", hostile_files.pipeline_faults())
def test_a_hostile_diffusers_folder_hides_no_model(folder: Path, fault: str) -> None:
    name, text = hostile_files.pipeline_faults()[fault]
    (write_pipeline(folder / "pipeline") / name).write_text(text)
    models, reasons = found_in(folder)
    assert {"a.safetensors", "z.safetensors"} <= set(models)
    assert "please report" not in "".join(reasons.values())


def test_a_part_outside_of_a_diffusers_folder_is_not_looked_at(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "inner/m")
    write_safetensors(tmp_path / "inner/outside/x.safetensors", {"a": (4,)})
    before = read_model_file(folder)
    for part in ("../outside", str(tmp_path / "inner/outside")):
        index = {"_class_name": "StableDiffusionPipeline", "unet": [1, 2], "vae": [1, 2], "text_encoder": [1, 2]}
        (folder / "model_index.json").write_text(json.dumps({**index, part: [1, 2]}))
        assert read_model_file(folder).fingerprint == before.fingerprint


def test_a_link_to_nowhere_in_a_diffusers_folder_changes_nothing(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "m")
    (folder / "unet/gone.txt").symlink_to("nowhere")
    assert [type(found) for found in scan([tmp_path])] == [ModelFile]


@NO_PIPES
def test_pipes_and_devices_are_not_waited_for(folder: Path) -> None:
    hostile_files.place_special(folder)
    write_safetensors(folder / "piped.safetensors", kohya_lora())
    write_safetensors(folder / "endless.safetensors", kohya_lora())
    models, reasons = found_in(folder)
    assert models == ["a.safetensors", "endless.safetensors", "piped.safetensors", "z.safetensors"]
    assert sorted(reasons) == ["gone.safetensors", "pipe.ckpt", "pipe.gguf", "pipe.safetensors", "zero.pt"]
    assert "a named pipe" in reasons["pipe.safetensors"]


@NO_PIPES
def test_a_pipe_within_a_diffusers_folder_is_not_waited_for(folder: Path) -> None:
    pipeline = write_pipeline(folder / "m")
    (pipeline / "unet/config.json").unlink()
    os.mkfifo(pipeline / "unet/config.json")
    assert "config.json is a named pipe" in found_in(folder)[1]["m"]


def test_whatever_reading_raises_the_next_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_safetensors(folder / "bad.safetensors", kohya_lora())
    from modelsearch_core.model_files import scanning

    read = scanning.read_candidate

    def breaks(candidate: object) -> ModelFile:
        if "bad" in str(candidate):
            raise ZeroDivisionError("a fault of our own")
        return read(candidate)  # type: ignore[arg-type]

    monkeypatch.setattr(scanning, "read_candidate", breaks)
    models, reasons = found_in(folder)
    assert models == ["a.safetensors", "z.safetensors"]
    assert reasons["bad.safetensors"].startswith("reading it failed (ZeroDivisionError: a fault of our own)")


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("legacy", [False, True])
def test_flipped_bytes_of_a_pickle_are_a_reason_or_a_state_dict(tmp_path: Path, legacy: bool, most: int) -> None:
    stream = io.BytesIO()
    torch.save({"a": torch.zeros(3, 2), "s": {"b": torch.ones(4)}}, stream, _use_new_zipfile_serialization=not legacy)
    chance, path = random.Random(7), tmp_path / "a.pt"
    for _ in range(700):
        path.write_bytes(hostile_files.flipped(stream.getvalue(), chance, most=most))
        try:
            assert all(isinstance(size, int) for shape in pickle_shapes(path).values() for size in shape)
            load_pickle(path)
        except UnreadableModelError as error:
            assert len(str(error)) < 1000


def test_random_opcodes_are_a_reason_or_data() -> None:
    made = hostile_files.random_pickles(random.Random(5))
    for _ in range(3000):
        try:
            PickleMachine(next(made)).load()
        except UnreadableModelError as error:
            assert len(str(error)) < 1000


def test_words_of_any_letters_are_cleaned() -> None:
    assert clean_text("a<!-- b --> c <!-- d") == "a c"
    assert clean_text("a \t\n\n  b  \n") == "a\nb"
    assert clean_text("&#" + "9" * 5000 + ";&#65;<br") == "A<br"
    assert clean_words("<lora:x:1> a, <lora:<lora:y> b") == ("a", "<lora: b")


@pytest.mark.slow
def test_a_long_campaign_of_flipped_bytes(tmp_path: Path) -> None:
    chance = random.Random(11)
    path = write_safetensors(
        tmp_path / "a.safetensors", kohya_lora(), {"modelspec.title": "t", "ss_tag_frequency": "{}"}
    )
    good = {".safetensors": path.read_bytes(), ".ckpt": hostile_files.good_pickle(), ".gguf": b"GGUF" + bytes(200)}
    for number in range(60_000):
        suffix = list(good)[number % 3]
        bad = tmp_path / f"bad{suffix}"
        bad.write_bytes(hostile_files.flipped(good[suffix], chance))
        reasons = [found.reason for found in scan([bad]) if isinstance(found, SkippedFile)]
        assert "please report" not in "".join(reasons)
