"""Packages that a user has not installed yet."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui import pack


@pytest.fixture
def requirements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    pack.load(monkeypatch, tmp_path)
    return importlib.import_module(f"{pack.NAME}.nodes.requirements")


def test_where_all_is_there_nothing_is_missing(requirements: Any):
    assert set(requirements.missing()) <= {
        "controlnet_aux"
    }  # which goes without its dependencies where there are others


def test_what_is_missing_is_named_with_the_command_for_this_python(requirements: Any, monkeypatch: pytest.MonkeyPatch):
    def version(name: str) -> str:
        if name in ("open_clip_torch", "timm"):
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(requirements, "version", version)
    said = requirements.how_to_install(requirements.missing())
    assert said.startswith("Model Search lacks open_clip_torch, timm; install with: ")
    assert f'"{sys.executable}" -m pip install -r "' in said
    assert Path(said.rsplit('"', 2)[1]).is_file()


def test_an_encoder_that_cannot_be_imported_says_it_too(requirements: Any, monkeypatch: pytest.MonkeyPatch):
    host = importlib.import_module(f"{pack.NAME}.nodes.host").host
    host.cache_clear()
    monkeypatch.setitem(sys.modules, f"{pack.NAME}.modelsearch_core.encoders", Broken())
    with pytest.raises(Exception, match=r"Model Search lacks .*; install with: ") as caught:
        host().encoder("ViT-B-32/openai")
    assert type(caught.value).__name__ == "ModelSearchError"


class Broken:
    def open_encoder(self, *_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError("No module named 'open_clip'", name="open_clip")
