"""A small Stable Diffusion in three layouts, and no network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch

from modelsearch_core.generators.diffusers import DiffusersGenerator
from modelsearch_core.generators.settings import GeneratorSettings
from modelsearch_core.model_files import ModelFile, read_model_file
from tests.making import stable_diffusion as sd


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a test asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """base/, single.safetensors, kohya.safetensors, peft.safetensors, all for one small model."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("zoo")
    pipe = sd.pipeline(48, 0, folder / "tokenizer")
    pipe.save_pretrained(folder / "base")
    sd.write_single_file(folder / "single.safetensors", sd.pipeline(48, 7, folder / "tokenizer"))
    sd.write_kohya(folder / "kohya.safetensors", pipe)
    sd.write_peft(folder / "peft.safetensors", pipe)
    return folder


@pytest.fixture(scope="session")
def pipe(zoo: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    found = StableDiffusionPipeline.from_pretrained(zoo / "base", local_files_only=True)
    found.set_progress_bar_config(disable=True)
    return found


@pytest.fixture(scope="session")
def models(zoo: Path) -> dict[str, ModelFile]:
    names = ("base", "single.safetensors", "kohya.safetensors", "peft.safetensors")
    return {name.split(".")[0]: read_model_file(zoo / name) for name in names}


@pytest.fixture
def generator(models: dict[str, ModelFile]) -> Iterator[DiffusersGenerator]:
    made = DiffusersGenerator(list(models.values()), GeneratorSettings(device="cpu", steps=3))
    yield made
    made.close()
