from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from modelsearch_core.model_files import read_model_file
from modelsearch_core.model_files.fingerprint import BLOCK_BYTES, FEWEST_BLOCKS
from tests.making.model_files import (
    diffusers_unet,
    header_bytes,
    kohya_lora,
    sd_checkpoint,
    write_json,
    write_pipeline,
    write_safetensors,
)

LARGE = kohya_lora(rank=64)  # several hundred KiB, so that blocks are looked at


def fingerprint(path: Path) -> str:
    return read_model_file(path).fingerprint


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("shapes", [kohya_lora(), LARGE])
def test_renames_moves_and_copies_keep_it(tmp_path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", shapes)
    first = fingerprint(path)
    copied = shutil.copy(path, tmp_path / "other name.safetensors")
    (tmp_path / "sub").mkdir()
    moved = path.rename(tmp_path / "sub/b.sft")
    assert fingerprint(Path(copied)) == fingerprint(moved) == first
    assert len(first) == 32


@pytest.mark.parametrize("shapes", [kohya_lora(), LARGE])
def test_other_weights_under_the_same_header_change_it(tmp_path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    paths = [write_safetensors(tmp_path / f"{seed}.safetensors", shapes, seed=seed) for seed in range(4)]
    assert len({fingerprint(path) for path in paths}) == 4


def test_edited_metadata_keep_it(tmp_path: Path) -> None:
    plain = write_safetensors(tmp_path / "a.safetensors", LARGE)
    edited = write_safetensors(tmp_path / "b.safetensors", LARGE, {"modelspec.title": "A better name"})
    assert fingerprint(plain) == fingerprint(edited)


def test_tensors_saved_in_another_order_keep_it(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", dict(reversed(LARGE.items())))
    save_file(load_file(path), tmp_path / "b.safetensors")
    assert path.read_bytes() != (tmp_path / "b.safetensors").read_bytes()
    assert fingerprint(path) == fingerprint(tmp_path / "b.safetensors")


def test_names_shapes_and_dtypes_change_it(tmp_path: Path) -> None:
    base = {"lora_unet_x.lora_down.weight": (2, 6)}
    others = [{"lora_unet_y.lora_down.weight": (2, 6)}, {"lora_unet_x.lora_down.weight": (3, 4)}]
    paths = [write_safetensors(tmp_path / f"{n}.safetensors", shapes) for n, shapes in enumerate([base, *others])]
    paths.append(write_safetensors(tmp_path / "bf16.safetensors", base, dtype="BF16"))
    assert len({fingerprint(path) for path in paths}) == 4


def test_every_byte_of_a_small_model_counts(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", {"lora_unet_x.lora_down.weight": (2, 6)})
    found = {fingerprint(path)}
    for place in range(1, 25):
        flip(path, -place)
        found.add(fingerprint(path))
    assert len(found) == 25


def test_a_large_model_is_not_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", {"lora_unet_x.lora_down.weight": (64, 2**16)})
    size = 2 * 64 * 2**16
    first = fingerprint(path)
    flip(path, -size // 2)  # between two blocks
    assert size > 10 * FEWEST_BLOCKS * BLOCK_BYTES
    assert fingerprint(path) == first
    flip(path, -1)  # the last block ends where the file ends
    assert fingerprint(path) != first


def test_half_of_a_checkpoint_replaced_is_noticed(tmp_path: Path) -> None:
    shapes = {**sd_checkpoint(), "first_stage_model.decoder.mid.weight": (64, 512)}
    path = write_safetensors(tmp_path / "a.safetensors", shapes)
    first = fingerprint(path)
    tensors = load_file(path)
    tensors["first_stage_model.decoder.mid.weight"] = np.zeros((64, 512), np.float16)
    save_file(tensors, path)
    assert fingerprint(path) != first


def test_a_folder_has_one_over_its_weights_and_nothing_else(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "a")
    first = fingerprint(folder)
    write_json(folder / "scheduler/scheduler_config.json", {"beta": 1})
    (folder / "README.md").write_text("hello")
    copied = Path(shutil.copytree(folder, tmp_path / "b"))
    assert fingerprint(folder) == fingerprint(copied) == first
    write_safetensors(copied / "unet/diffusion_pytorch_model.safetensors", diffusers_unet(), seed=5)
    assert fingerprint(copied) != first


def test_it_never_changes_from_one_release_to_the_next(tmp_path: Path) -> None:
    """Rows of people's catalogs hang on it."""
    header = header_bytes({"lora_unet_ü.lora_down.weight": (2, 2), "b": (1,)}, dtype="U8")
    (tmp_path / "a.safetensors").write_bytes(header + b"12345")
    assert fingerprint(tmp_path / "a.safetensors") == "279f374c214bbb978c471a4c472aefbb"
