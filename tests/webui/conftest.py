"""Stubs of a WebUI for the thin layer, everywhere; one real WebUI for the rest, where `WEBUI_PATH` names a checkout."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.making.clip import clip_folder
from tests.webui.collection import make_collection, make_full_size
from tests.webui.host import ROOT, WebUI, install

STUBS = Path(__file__).parent / "stubs"
OURS = ("modules", "gradio", "networks", "modelsearch_webui")


def forget_stubs() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with five LoRA that paint in colours, indexed."""
    base = tmp_path_factory.mktemp("webui")
    make_collection(base)
    return base


@pytest.fixture
def webui(collection: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stubs' modules and ours, by name, over the collection."""
    pytest.importorskip("starlette", reason="the thin layer stands on the WebUI's starlette")
    monkeypatch.syspath_prepend(str(STUBS))
    monkeypatch.syspath_prepend(str(ROOT))
    forget_stubs()
    found = lambda name: importlib.import_module(name)  # noqa: E731
    use_folders(found, collection)
    yield SimpleNamespace(base=collection, find=found, ours=lambda name: found(f"modelsearch_webui.{name}"))
    found("modelsearch_webui.start").wait_until_begun()
    found("modelsearch_webui.lifecycle").end()
    forget_stubs()


def use_folders(found: Any, base: Path) -> None:
    found("modules.paths").data_path, found("modules.paths").models_path = str(base), str(base / "models")
    found("modules.shared").cmd_opts.lora_dir = str(base / "models" / "Lora")
    found("modules.sd_models").model_path = str(base / "models" / "Stable-diffusion")
    found("modules.sd_models").list_models()
    found("networks").list_available_networks()
    found("modelsearch_webui.settings").declare()


@pytest.fixture(scope="session")
def needs_webui() -> None:
    if not os.environ.get("WEBUI_PATH"):
        pytest.skip("WEBUI_PATH does not name a checkout of a Stable Diffusion WebUI")


@pytest.fixture(scope="session")
def real(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    """A WebUI with the indexed collection."""
    base = tmp_path_factory.mktemp("real")
    install(base)
    make_collection(base)
    server = WebUI(base)
    try:
        yield server.wait_until_up()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def computing(needs_webui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    """A WebUI with a full-size checkpoint that makes noise, and two LoRA for it."""
    base = tmp_path_factory.mktemp("computing")
    small = {"modelsearch_size": 64, "modelsearch_steps": 2, "modelsearch_samples": 2}
    small["live_previews_enable"] = False  # reForge would fetch a decoder for them
    install(base, modelsearch_encoder=str(clip_folder(base / "clip")), **small)
    make_full_size(base)
    server = WebUI(base)
    try:
        yield server.wait_until_up()
    finally:
        server.stop()
