"""One ComfyUI for all tests that need no other; without `COMFYUI_PATH` these are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfyui.collection import make_collection
from tests.comfyui.engine import make_weights
from tests.comfyui.host import ComfyUI, install, other_packs


@pytest.fixture(scope="session")
def needs_comfyui() -> None:
    if not os.environ.get("COMFYUI_PATH"):
        pytest.skip("COMFYUI_PATH does not name a checkout of ComfyUI")


@pytest.fixture(scope="session")
def comfyui(needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    base = tmp_path_factory.mktemp("comfyui")
    install(base)
    make_collection(base)
    other_packs(base)
    server = ComfyUI(base)
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def weights(needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Full-size models with random weights."""
    return make_weights(tmp_path_factory.mktemp("weights"))
