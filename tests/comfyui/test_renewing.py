"""Files that are renamed, moved and added between two looks, without a ComfyUI."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from tests.comfyui import pack
from tests.indexing.folders import make_folder


@pytest.fixture
def renewing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    pack.load(monkeypatch, tmp_path)
    make_folder(tmp_path / "models" / "loras", ["red", "blue"])
    return importlib.import_module(f"{pack.NAME}.nodes.renewing")


@pytest.fixture
def catalog(renewing: Any, tmp_path: Path) -> Path:
    """Of the two."""
    from modelsearch_core.indexing import IndexSettings, Report, silent, update_files

    path = tmp_path / "user" / "__modelsearch" / "catalog.sqlite"
    with Catalog(path) as opened:
        update_files(opened, [tmp_path / "models" / "loras"], IndexSettings(), Report(), silent)
    return path


def known(path: Path) -> dict[str, str]:
    with Catalog(path, read_only=True) as catalog:
        return {model.path.name: model.fingerprint for model in catalog.models()}


def test_a_renamed_file_is_the_same_model(renewing: Any, catalog: Path, tmp_path: Path):
    before = known(catalog)
    folder = tmp_path / "models" / "loras"
    (folder / "moved").mkdir()
    (folder / "red.safetensors").rename(folder / "moved" / "crimson.safetensors")
    assert renewing.has_unknown()
    assert renewing.renew("lora")
    assert known(catalog) == {
        "blue.safetensors": before["blue.safetensors"],
        "crimson.safetensors": before["red.safetensors"],
    }
    assert not renewing.has_unknown()
    assert not renewing.renew("lora")


def test_a_new_file_is_read_and_others_are_left_alone(renewing: Any, catalog: Path, tmp_path: Path):
    make_folder(tmp_path / "more", ["green"])[0].rename(tmp_path / "models" / "loras" / "green.safetensors")
    assert renewing.renew("lora")
    assert known(catalog).keys() == {"red.safetensors", "blue.safetensors", "green.safetensors"}


def test_a_file_that_is_no_model_is_looked_at_once(renewing: Any, catalog: Path, tmp_path: Path):
    (tmp_path / "models" / "loras" / "broken.safetensors").write_bytes(b"nothing")
    assert renewing.renew("lora")
    assert not renewing.renew("lora")


def test_parts_of_a_model_in_a_folder_and_other_ways_to_a_file_are_not_new(
    renewing: Any, catalog: Path, tmp_path: Path
):
    loras = tmp_path / "models" / "loras"
    unet = tmp_path / "models" / "checkpoints" / "whole" / "unet"
    unet.mkdir(parents=True)
    (unet.parent / "model_index.json").write_text("{}")
    (unet / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    (loras / "again").symlink_to(loras, target_is_directory=True)
    assert not renewing.renew("checkpoint")
    assert not renewing.unknown("lora", {loras / "red.safetensors", loras / "blue.safetensors"})


def test_the_first_scan_is_left_to_the_indexer(renewing: Any, tmp_path: Path):
    assert renewing.has_unknown()
    assert not renewing.renew("lora")
