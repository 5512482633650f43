"""A model that lies in several files is one model; its files are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsearch_core.errors import UnreadableModelError
from modelsearch_core.generators.tensors import load_state, shapes_of
from modelsearch_core.model_files import Kind, ModelFile, SkippedFile, read_model_file, scan
from tests.making.model_files import write_safetensors

PARTS = (
    {"condition_embedder.time_proj.weight": (96, 16), "patch_embedding.weight": (16, 4, 1, 2, 2)},
    {"blocks.0.ffn.net.0.proj.weight": (8, 16)},
    {"proj_out.weight": (64, 16)},
)
INDEX = "diffusion_pytorch_model.safetensors.index.json"


def shard(number: int, total: int = 3) -> str:
    return f"diffusion_pytorch_model-{number:05d}-of-{total:05d}.safetensors"


def write_shards(folder: Path, index: bool = True) -> Path:
    for number, shapes in enumerate(PARTS, 1):
        write_safetensors(folder / shard(number), shapes, seed=number)
    if index:
        weight_map = {name: shard(number) for number, shapes in enumerate(PARTS, 1) for name in shapes}
        (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    return folder


def models_and_skipped(folder: Path) -> tuple[list[ModelFile], list[SkippedFile]]:
    found = list(scan([folder]))
    return (
        [each for each in found if isinstance(each, ModelFile)],
        [each for each in found if isinstance(each, SkippedFile)],
    )


@pytest.mark.parametrize(("index", "path", "parts"), [(True, INDEX, 3), (False, shard(1), 2)])
def test_shards_are_one_model(tmp_path: Path, index: bool, path: str, parts: int) -> None:
    folder = write_shards(tmp_path / "MyWan", index)
    models, skipped = models_and_skipped(tmp_path)
    (model,) = models
    assert (model.path, model.kind, model.architecture) == (folder / path, Kind.DIFFUSION_MODEL, "wan")
    assert (model.title, model.size) == ("MyWan", sum((folder / shard(n)).stat().st_size for n in (1, 2, 3)))
    assert len(skipped) == parts and all("a shard of a model in 3 files" in each.reason for each in skipped)
    assert read_model_file(model.path) == model and read_model_file(folder / shard(2)) == model


def test_an_unchanged_model_in_shards_is_not_read_again_and_a_changed_one_is(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    (first,), _ = models_and_skipped(tmp_path)
    again = [each for each in scan([tmp_path], {first.path: first}) if isinstance(each, ModelFile)]
    assert again[0] is first
    write_safetensors(folder / shard(2), PARTS[1], seed=9)
    (changed,), _ = models_and_skipped(tmp_path)
    assert changed.fingerprint != first.fingerprint


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    (folder / shard(2)).unlink()
    models, skipped = models_and_skipped(tmp_path)
    assert not models and {each.path.name for each in skipped} == {shard(1), shard(3)}
    assert all("a shard of a model in 3 files, of which number 2 is missing" in each.reason for each in skipped)


def test_a_broken_shard_is_named(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    (folder / shard(3)).write_bytes(b"1234")
    with pytest.raises(UnreadableModelError, match=rf"its shard {shard(3)}: the file has 4 bytes"):
        read_model_file(folder / INDEX)


def test_tensors_of_all_shards_are_read(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    shapes = {name: shape for part in PARTS for name, shape in part.items()}
    assert shapes_of(folder / INDEX) == shapes
    assert {name: tuple(tensor.shape) for name, tensor in load_state(folder / INDEX).items()} == shapes
