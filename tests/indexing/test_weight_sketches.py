"""Sketches of what LoRA change are read once; those of DoRA again where another base is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.weight_sketches import VERSION, Sketch
from modelsearch_core.indexing import silent
from modelsearch_core.indexing.weight_sketches import store_sketches
from modelsearch_core.model_files import Kind, ModelFile
from tests.making.fakes import model_file

LAYER = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
ORIGINAL = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
D = 6


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> list[ModelFile]:
    """A DoRA, and the LoRA that it is without its magnitude."""
    state = {f"unet.{LAYER}.lora_A.weight": torch.rand(2, D), f"unet.{LAYER}.lora_B.weight": torch.rand(D, 2)}
    magnitude = {f"unet.{LAYER}.lora_magnitude_vector": torch.full((D,), 3.0)}
    save_file(state, tmp_path / "lora.safetensors")
    save_file(state | magnitude, tmp_path / "dora.safetensors")
    return [
        model_file("dora", path=tmp_path / "dora.safetensors", network="dora"),
        model_file("lora", path=tmp_path / "lora.safetensors", network="lora"),
    ]


def base(folder: Path, name: str, seed: int) -> ModelFile:
    path = folder / f"{name}.safetensors"
    save_file({ORIGINAL: torch.rand(D, D, generator=torch.Generator().manual_seed(seed))}, path)
    return model_file(name, kind=Kind.CHECKPOINT, path=path)


def stored(catalog: Catalog, files: list[ModelFile]) -> list[Sketch]:
    catalog.put_files(files)
    store_sketches(catalog, files, silent)
    found = catalog.sketches.get([file.fingerprint for file in files], VERSION)
    return [found[file.fingerprint] for file in files if file.kind is Kind.LORA]


def test_a_dora_without_a_base_is_as_its_lora_and_the_catalog_says_so(catalog: Catalog, files: list[ModelFile]):
    dora, lora = stored(catalog, files)
    assert np.array_equal(dora.s, lora.s)
    assert (dora.base, dora.without_magnitude) == ("", 1)
    assert (lora.base, lora.without_magnitude) == (None, 0)
    assert catalog.sketches.without_magnitude(VERSION) == {files[0].fingerprint}


def test_it_is_read_again_once_its_base_is_there_and_only_then(
    catalog: Catalog, files: list[ModelFile], tmp_path: Path
):
    before, _ = stored(catalog, files)
    first = base(tmp_path, "first", 1)
    after, _ = stored(catalog, [*files, first])
    assert (after.base, after.without_magnitude) == (first.fingerprint, 0)
    assert catalog.sketches.without_magnitude(VERSION) == set()
    assert not np.allclose(before.s, after.s)
    for file in files:
        file.path.unlink()
    assert np.array_equal(stored(catalog, [*files, first])[0].s, after.s)


def test_it_is_taken_with_the_base_that_was_set_by_hand(catalog: Catalog, files: list[ModelFile], tmp_path: Path):
    first, second = base(tmp_path, "first", 1), base(tmp_path, "second", 2)
    assert stored(catalog, [*files, first, second])[0].base == first.fingerprint
    files[0] = replace(files[0], base=second.path)
    assert stored(catalog, [*files, first, second])[0].base == second.fingerprint


def test_a_base_that_cannot_be_opened_now_is_tried_again(catalog: Catalog, files: list[ModelFile], tmp_path: Path):
    first = base(tmp_path, "first", 1)
    first.path.rename(tmp_path / "away")
    assert stored(catalog, [*files, first])[0].base == ""
    (tmp_path / "away").rename(first.path)
    assert stored(catalog, [*files, first])[0].base == first.fingerprint


def test_a_base_with_broken_weights_leaves_the_lora_alone(catalog: Catalog, files: list[ModelFile], tmp_path: Path):
    first = base(tmp_path, "first", 1)
    first.path.write_bytes(b"no weights")
    dora, lora = stored(catalog, [*files, first])
    assert dora.without_magnitude == 1
    assert np.array_equal(dora.s, lora.s)


@pytest.mark.parametrize("odd", [torch.tensor(3.0), torch.full((D, 1), torch.nan), torch.ones(D - 1, 1)])
def test_a_magnitude_that_says_nothing_is_left_out_and_its_layer_is_not(
    catalog: Catalog, files: list[ModelFile], tmp_path: Path, odd: torch.Tensor
):
    plain, layer = load_file(files[1].path), f"lora_unet_{LAYER.replace('.', '_')}"
    down, up = (plain[f"unet.{LAYER}.lora_{side}.weight"] for side in "AB")
    kohya = {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up, f"{layer}.dora_scale": odd}
    save_file(kohya, files[0].path)
    dora, lora = stored(catalog, [*files, base(tmp_path, "first", 1)])
    assert dora.without_magnitude == 1
    assert np.array_equal(dora.s, lora.s)


def test_a_broken_dora_is_tried_once_a_base(catalog: Catalog, files: list[ModelFile]):
    files[0].path.write_bytes(b"no tensors")
    catalog.put_files(files)
    store_sketches(catalog, files, silent)
    assert catalog.sketches.known(VERSION) == {files[0].fingerprint: "", files[1].fingerprint: None}
    seen: list[str | None] = []
    store_sketches(catalog, files, lambda step: seen.append(step.model))
    assert seen == []
