from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.model_files import Kind, ModelFile, SkippedFile, scan
from modelsearch_core.model_files.header import layout_of
from tests.making.model_files import kohya_lora, sd_checkpoint, write_json, write_pipeline, write_safetensors


def models(*places: Path, **options: object) -> list[ModelFile]:
    return [found for found in scan(places, **options) if isinstance(found, ModelFile)]  # type: ignore[arg-type]


def skipped(*places: Path) -> list[SkippedFile]:
    return [found for found in scan(places) if isinstance(found, SkippedFile)]


def test_models_come_from_all_sub_folders_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/z.safetensors", "b/a/x.safetensors", "c.safetensors", "a.safetensors"):
        write_safetensors(tmp_path / name, kohya_lora())
    names = [model.path.relative_to(tmp_path).as_posix() for model in models(tmp_path)]
    assert names == ["a.safetensors", "c.safetensors", "b/z.safetensors", "b/a/x.safetensors"]


def test_an_unchanged_file_comes_back_as_the_same_object_without_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    first = list(scan([tmp_path]))
    monkeypatch.setattr(os, "open", None)
    again = list(scan([tmp_path], {found.path: found for found in first}))
    assert [found is old for found, old in zip(again, first, strict=True)] == [True, True]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    old = models(tmp_path)[0]
    write_safetensors(path, kohya_lora(), seed=1)
    os.utime(path, ns=(1, old.modified + 1))
    new = models(tmp_path, known={path: old})[0]
    assert new.fingerprint != old.fingerprint


@pytest.mark.parametrize("name", ["a.preview.png", "a.civitai.info", "a.metadata.json", "a.json", "a.txt", "a.3.webp"])
def test_a_new_or_changed_file_beside_a_model_is_noticed(tmp_path: Path, name: str) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    write_safetensors(tmp_path / "ab.safetensors", kohya_lora())
    known = {model.path: model for model in models(tmp_path)}
    (tmp_path / name).write_text("{}")
    with_it = models(tmp_path, known=known)
    assert [model.path == path for model in with_it if model is not known[model.path]] == [True]
    os.utime(tmp_path / name, ns=(5, 5))
    assert models(tmp_path, known={path: with_it[0]})[0] is not with_it[0]


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    (tmp_path / "b.safetensors").write_bytes(b"")
    (tmp_path / "c.gguf").write_bytes(b"GGUF")
    (tmp_path / "d.ckpt").write_bytes(b"\x80\x02nonsense")
    (tmp_path / "e.bin").write_bytes(b"")
    write_safetensors(tmp_path / "f.safetensors", kohya_lora())
    assert [model.path.stem for model in models(tmp_path)] == ["a", "f"]
    assert [(each.path.stem, bool(each.reason)) for each in skipped(tmp_path)] == [(stem, True) for stem in "bcde"]


def test_a_loop_of_links_ends_and_each_folder_is_walked_once(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "real/a.safetensors", kohya_lora())
    (tmp_path / "real/loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "linked").symlink_to(tmp_path / "real", target_is_directory=True)
    assert len(models(tmp_path)) == 1


def test_linked_folders_and_files_outside_are_followed(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "elsewhere/a.safetensors", kohya_lora())
    (tmp_path / "models").mkdir()
    (tmp_path / "models/more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "models/b.safetensors").symlink_to(tmp_path / "elsewhere/a.safetensors")
    (tmp_path / "models/gone.safetensors").symlink_to(tmp_path / "nowhere")
    (tmp_path / "models/self").symlink_to(tmp_path / "models/self")
    assert len(models(tmp_path / "models")) == 2
    assert "cannot be reached" in skipped(tmp_path / "models")[0].reason


def test_hidden_folders_and_files_are_left_out(tmp_path: Path) -> None:
    for name in (".cache/a.safetensors", "._b.safetensors", "__MACOSX/c.safetensors"):
        write_safetensors(tmp_path / name, kohya_lora())
    assert list(scan([tmp_path])) == []


def test_a_diffusers_folder_is_one_model_and_its_parts_are_none(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "tiny")
    assert [(model.path.name, model.kind) for model in models(tmp_path)] == [("tiny", Kind.CHECKPOINT)]
    assert skipped(tmp_path) == []


def test_a_diffusers_folder_can_be_the_folder_that_is_given(tmp_path: Path) -> None:
    assert models(write_pipeline(tmp_path / "tiny"))[0].title == "tiny"


def test_a_change_within_a_diffusers_folder_is_noticed(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "tiny")
    old = models(folder)[0]
    assert models(folder, known={folder: old})[0] is old
    write_json(folder / "vae/config.json", {"changed": 1})
    assert models(folder, known={folder: old})[0] is not old


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelSearchError, match="nowhere does not exist"):
        scan([tmp_path / "nowhere"])


def test_files_can_be_given_instead_of_folders_and_count_once(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    assert len(models(path, tmp_path, path)) == 1


def test_kinds_leave_out_other_models(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    write_safetensors(tmp_path / "b.safetensors", sd_checkpoint())
    assert [model.path.stem for model in models(tmp_path, kinds=[Kind.CHECKPOINT])] == ["b"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    write_safetensors(tmp_path / "a.safetensors", kohya_lora()).chmod(0)
    assert len(skipped(tmp_path)) == 2


def test_an_error_of_the_disk_is_recorded_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert skipped(tmp_path)[0].reason == "the file cannot be read: Permission denied"


@pytest.mark.parametrize(
    "stem", ["Käthe süß", "一只猫", "a.b (v1.2) [final]", "CON_aux~1", "x" * 200, "🖌️ ink", "it's, 100%"]
)
def test_any_file_name_is_fine(tmp_path: Path, stem: str) -> None:
    path = write_safetensors(tmp_path / f"{stem}.safetensors", kohya_lora())
    (tmp_path / f"{stem}.png").write_bytes(b"")
    model = models(tmp_path)[0]
    assert (model.path, model.title, model.preview) == (path, stem, tmp_path / f"{stem}.png")


def test_a_name_that_is_no_utf_8_is_recorded_and_stops_nothing(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.safetensors")).write_bytes(b"")
        (tmp_path / os.fsdecode(b"a.\xe9.png")).write_bytes(b"")
    except OSError:
        pytest.skip("this disk has no such names")
    odd, model = scan([tmp_path])
    assert isinstance(odd, SkippedFile) and isinstance(model, ModelFile)
    assert (odd.path, model.path, model.preview) == (tmp_path, tmp_path / "a.safetensors", None)
    assert r"caf\udce9.safetensors" in odd.reason
    str([odd, model]).encode()


def test_a_file_without_a_name_of_its_own_is_called_like_its_folder(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "ink wash/pytorch_lora_weights.safetensors", kohya_lora())
    assert models(tmp_path)[0].title == "ink wash"


def test_nothing_of_the_files_is_kept_after_a_scan(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", kohya_lora())
    list(scan([tmp_path]))
    assert layout_of.cache_info().currsize == 0
