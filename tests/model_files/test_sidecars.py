from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.model_files import ModelFile, read_model_file
from tests.making.model_files import kohya_lora, write_safetensors

CIVITAI = {
    "id": 1,
    "name": "v2.0",
    "trainedWords": ["ohwx, woman", "OHWX", "red dress,"],
    "baseModel": "SD 1.5",
    "description": "<p>New version</p>",
    "stats": {"downloadCount": 4321, "rating": 5},
    "model": {"name": "Ink Wash", "type": "LORA", "tags": ["style", "ink"], "description": "<b>About</b> ink"},
}
LORA_MANAGER = {
    "file_name": "a",
    "model_name": "My ink",
    "base_model": "SDXL 1.0",
    "preview_url": "/somewhere/else.webp",
    "tags": ["mine"],
    "modelDescription": "<p>Long</p>",
    "notes": "use with care",
    "usage_tips": '{"strength": 0.7}',
    "civitai": CIVITAI,
}
A1111 = {
    "description": "short",
    "sd version": "SD1",
    "activation text": "sumi, ink wash",
    "preferred weight": 0.6,
    "negative text": "",
    "notes": "notes",
}
STABILITY_MATRIX = {
    "ModelName": "Matrix",
    "TrainedWords": ["neo"],
    "BaseModel": "Pony",
    "Tags": ["m"],
    "ModelDescription": "M",
}
RGTHREE = {
    "name": "Three",
    "baseModel": "SDXL 1.0",
    "trainedWords": [{"word": "thr33", "civitai": True}, {"word": "rg"}, 3],
}


SWARM = {
    "modelspec.title": "Swarm",
    "modelspec.trigger_phrase": "sw4rm, bees",
    "modelspec.tags": ["b"],
    "modelspec.description": "Edited",
}
API_INFO = {
    "name": "Ink Wash",
    "tags": ["ink"],
    "description": "<b>About</b> ink",
    "modelVersions": [
        {"name": "v3", "trainedWords": ["newer"], "baseModel": "Flux.1 D", "files": [{"name": "b.safetensors"}]},
        {
            "name": "v2",
            "trainedWords": ["ohwx"],
            "baseModel": "Pony",
            "description": "v2",
            "files": [{"name": "A.ckpt"}],
        },
    ],
}


def model_with(folder: Path, **sidecars: object) -> ModelFile:
    path = write_safetensors(
        folder / "a.safetensors", kohya_lora(), {"modelspec.title": "Header", "ss_sd_model_name": "base"}
    )
    for suffix, content in sidecars.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"a.{suffix.replace('__', '-').replace('_', '.')}").write_text(text, encoding="utf-8")
    return read_model_file(path)


def test_civitai_info_is_read(tmp_path: Path) -> None:
    model = model_with(tmp_path, civitai_info=CIVITAI)
    assert (model.title, model.base_hint) == ("Ink Wash", "SD 1.5")
    assert model.trigger_words == ("ohwx", "woman", "red dress")
    assert (model.tags, model.description) == (("style", "ink"), "About ink\n\nNew version")


def test_lora_managers_own_fields_come_before_its_copy_of_civitai(tmp_path: Path) -> None:
    model = model_with(tmp_path, metadata_json=LORA_MANAGER)
    assert (model.title, model.base_hint, model.tags) == ("My ink", "SDXL 1.0", ("mine",))
    assert (model.description, model.preferred_weight) == ("use with care\n\nLong", 0.7)
    assert model.trigger_words == ("ohwx", "woman", "red dress")


def test_the_webuis_card_is_read(tmp_path: Path) -> None:
    model = model_with(tmp_path, json=A1111)
    assert (model.trigger_words, model.preferred_weight) == (("sumi", "ink wash"), 0.6)
    assert (model.description, model.base_hint, model.title) == ("short", "SD1", "Header")


def test_a_civitai_answer_saved_as_plain_json_is_read_as_one(tmp_path: Path) -> None:
    assert model_with(tmp_path, json=CIVITAI).title == "Ink Wash"


def test_other_tools_are_read(tmp_path: Path) -> None:
    matrix = model_with(tmp_path / "1", cm__info_json=STABILITY_MATRIX)
    assert (matrix.title, matrix.trigger_words, matrix.base_hint) == ("Matrix", ("neo",), "Pony")
    rgthree = model_with(tmp_path / "2", safetensors_rgthree__info_json=RGTHREE)
    assert (rgthree.title, rgthree.trigger_words, rgthree.base_hint) == ("Three", ("thr33", "rg"), "SDXL 1.0")
    assert model_with(tmp_path / "3", txt="Good with <b>water</b>").description == "Good with water"


def test_words_of_a_model_that_is_not_on_civitai_stand_at_lora_managers_top(tmp_path: Path) -> None:
    local = {"model_name": "Mine", "civitai": None, "trainedWords": ["zxq_person"]}
    assert model_with(tmp_path, metadata_json=local).trigger_words == ("zxq_person",)


@pytest.mark.parametrize("fields", [SWARM, {key.removeprefix("modelspec."): value for key, value in SWARM.items()}])
def test_what_was_edited_in_swarmui_is_read(tmp_path: Path, fields: dict[str, object]) -> None:
    model = model_with(tmp_path, swarm_json=fields)
    assert (model.title, model.trigger_words) == ("Swarm", ("sw4rm", "bees"))
    assert (model.tags, model.description) == (("b",), "Edited")


def test_of_a_civitai_answer_with_all_versions_that_of_the_file_counts(tmp_path: Path) -> None:
    (tmp_path / "a.api_info.json").write_text(json.dumps(API_INFO))
    model = model_with(tmp_path)
    assert (model.title, model.trigger_words, model.base_hint) == ("Ink Wash", ("ohwx",), "Pony")
    assert (model.tags, model.description) == (("ink",), "About ink\n\nv2")
    other = {**API_INFO, "modelVersions": [{**version, "files": []} for version in API_INFO["modelVersions"]]}
    (tmp_path / "a.api_info.json").write_text(json.dumps(other))
    assert (model_with(tmp_path).trigger_words, model_with(tmp_path).title) == ((), "Ink Wash")
    only = {**other, "modelVersions": other["modelVersions"][:1]}
    (tmp_path / "a.api_info.json").write_text(json.dumps(only))
    assert model_with(tmp_path).trigger_words == ("newer",)


def test_a_base_is_named_without_the_folders_of_another_machine(tmp_path: Path) -> None:
    assert (
        model_with(tmp_path, civitai_info={"baseModel": "D:\\models\\pony.safetensors"}).base_hint == "pony.safetensors"
    )


def test_what_the_user_typed_comes_before_what_tools_copied_before_the_header(tmp_path: Path) -> None:
    model = model_with(tmp_path, json=A1111, metadata_json=LORA_MANAGER, civitai_info=CIVITAI, txt="text")
    assert (model.trigger_words, model.preferred_weight) == (("sumi", "ink wash"), 0.6)
    assert (model.base_hint, model.description, model.title) == ("SD1", "short", "My ink")
    assert model_with(tmp_path / "b", civitai_info={"model": {"name": ""}}).title == "Header"
    assert model_with(tmp_path / "c", civitai_info={"baseModel": "Other"}).base_hint == "base"


BROKEN = [
    "",
    "{",
    "[]",
    "3",
    '"x"',
    "null",
    "[" * 9999,
    '{"model": 3, "stats": [], "trainedWords": {"a": 1}, "civitai": "x"}',
]


@pytest.mark.parametrize("content", BROKEN)
@pytest.mark.parametrize(
    "suffix",
    ["json", "swarm_json", "metadata_json", "civitai_info", "cm__info_json", "safetensors_rgthree__info_json"],
)
def test_a_broken_sidecar_never_breaks_the_model(tmp_path: Path, suffix: str, content: str) -> None:
    assert model_with(tmp_path, **{suffix: content}).title == "Header"


def test_wrong_types_lone_surrogates_and_other_encodings_break_nothing(tmp_path: Path) -> None:
    odd = {
        "model_name": 3,
        "tags": "a, b",
        "usage_tips": 7,
        "modelDescription": ["x"],
        "civitai": {"stats": 3},
    }
    model = model_with(tmp_path, metadata_json=odd)
    assert (model.title, model.tags, model.preferred_weight) == ("Header", ("a", "b"), None)
    assert model_with(tmp_path / "s", metadata_json='{"model_name": "\\ud800x"}').title == "?x"
    (tmp_path / "a.metadata.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"model_name": "Bömbe"}).encode())
    assert read_model_file(tmp_path / "a.safetensors").title == "Bömbe"
    (tmp_path / "a.metadata.json").write_bytes('{"model_name": "Ü"}'.encode("latin-1"))
    assert read_model_file(tmp_path / "a.safetensors").title == "\ufffd"


def test_a_sidecar_of_another_model_is_not_taken(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.b.safetensors", kohya_lora())
    (tmp_path / "a.b.civitai.info").write_text(json.dumps(CIVITAI))
    (tmp_path / "ab.civitai.info").write_text(json.dumps(CIVITAI))
    assert model_with(tmp_path).title == "Header"
    assert read_model_file(tmp_path / "a.b.safetensors").title == "Ink Wash"
