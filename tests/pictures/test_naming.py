"""Which model a picture's name means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.model_files import Kind
from modelsearch_core.picture_metadata import Mention
from modelsearch_core.pictures import Names
from tests.making.fakes import model_file
from tests.making.model_files import write_safetensors

INK = model_file("ink_v2", folder="/m/loras/styles")
BASE = model_file("dreamy", kind=Kind.CHECKPOINT)


def lora(name: str, hash: str = "") -> Mention:
    return Mention(name, Kind.LORA, hash=hash)


@pytest.mark.parametrize(
    "name", ["ink_v2", "INK_v2", "ink_v2.safetensors", "styles/ink_v2", "styles\\ink_v2.safetensors", "other/ink_v2"]
)
def test_a_file_is_found_by_its_name_with_the_folders_of_any_machine(name: str):
    assert Names([INK, BASE]).find(lora(name)) == INK.fingerprint


def test_a_lora_and_a_checkpoint_of_one_name_are_told_apart():
    checkpoint = model_file("ink_v2", kind=Kind.CHECKPOINT, fingerprint="fp-checkpoint")
    names = Names([INK, checkpoint])
    assert names.find(lora("ink_v2")) == INK.fingerprint
    assert names.find(Mention("ink_v2", Kind.CHECKPOINT)) == "fp-checkpoint"


def test_of_two_with_one_name_the_folder_tells_and_without_it_none_is_meant():
    other = model_file("ink_v2", folder="/m/loras/old", fingerprint="fp-other")
    names = Names([INK, other])
    assert names.find(lora("old/ink_v2")) == "fp-other"
    assert names.find(lora("ink_v2")) is None


def test_copies_of_one_model_are_one():
    assert Names([INK, model_file("ink_v2", folder="/b", fingerprint=INK.fingerprint)]).find(lora("ink_v2"))


def test_a_number_in_a_name_is_no_ending():
    assert Names([model_file("style1.5")]).find(lora("style1.5")) == "fp-style1.5"


def file_with(folder: Path, name: str, metadata: dict[str, str]) -> Path:
    path = folder / f"{name}.safetensors"
    write_safetensors(path, {"a": (1,)}, metadata)
    return path


def test_the_name_that_its_trainer_gave_it_is_an_alias(tmp_path: Path):
    path = file_with(tmp_path, "renamed", {"ss_output_name": "Ink Wash"})
    assert Names([model_file("renamed", path=path)]).find(lora("ink wash")) == "fp-renamed"


def test_a_renamed_file_is_found_by_the_hash_in_its_header(tmp_path: Path):
    path = file_with(tmp_path, "renamed", {"sshs_model_hash": "ab" * 32})
    names = Names([model_file("renamed", path=path)])
    assert names.find(lora("gone", "abababababab")) == "fp-renamed"
    assert names.find(lora("gone", "0xABABABABABAB")) == "fp-renamed"
    assert names.find(lora("gone", "abababab0000")) is None
    assert names.find(lora("gone", "ab")) is None


def test_of_two_with_one_name_the_hash_tells(tmp_path: Path):
    (tmp_path / "b").mkdir()
    one = file_with(tmp_path, "ink", {"sshs_model_hash": "11" * 32})
    two = file_with(tmp_path / "b", "ink", {"sshs_model_hash": "22" * 32})
    names = Names([model_file("one", path=one), model_file("two", path=two)])
    assert names.find(lora("ink", "222222222222")) == "fp-two"


def test_the_hash_in_a_file_beside_it_counts_only_where_it_is_of_this_file(tmp_path: Path):
    path = file_with(tmp_path, "renamed", {})
    files = [
        {"name": "renamed.safetensors", "hashes": {"AutoV2": "AAAAAAAAAA", "SHA256": "aa" * 32}},
        {"name": "other.safetensors", "hashes": {"AutoV2": "BBBBBBBBBB"}},
    ]
    path.with_name("renamed.civitai.info").write_text(json.dumps({"files": files}))
    names = Names([model_file("renamed", path=path)])
    assert names.find(lora("gone", "aaaaaaaaaa")) == "fp-renamed"
    assert names.find(lora("gone", "bbbbbbbbbb")) is None
