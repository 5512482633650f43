"""The panel on the colour world, without a server."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.embedding import Encoder
from modelsearch_core.indexing import Engine, IndexSettings, index
from modelsearch_core.model_files import ModelFile
from modelsearch_core.panel import Folder, IndexJob, Panel
from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS, ColourEncoder, ColourGenerator

NAMES = ["base checkpoint", "second checkpoint", "red", "green", "blue", "yellow", "red blue", "broken pink"]


def colour_engine() -> Engine:
    def generator_for(models: Sequence[ModelFile]) -> ColourGenerator:
        return ColourGenerator(models, broken=["broken pink"])

    return Engine(
        encoder=ColourEncoder(), encoder_source="colours", generator_for=generator_for, draw=lambda image: image
    )


class ColourHost:
    """A host whose loaders list files by their path below the folder."""

    name = "colours"
    may_change_folders = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "models"
        self.opened: list[str] = []
        self.indexer = IndexJob(
            folder / "catalog.sqlite", lambda *_: colour_engine(), lambda: [self._folder], pictures=self.picture_folders
        )

    def folders(self) -> Sequence[Folder]:
        return [Folder(self._folder, "loras")]

    def classifier_folders(self) -> Sequence[Path]:
        return [self._folder]

    def trusted_pickles(self) -> None:
        return None

    def picture_folders(self) -> Sequence[Path]:
        return [self._folder.with_name("outputs")]

    def change_folders(self, folders: Sequence[Path]) -> None:
        raise AssertionError("not allowed, so not called")

    def encoder(self, source: str) -> Encoder:
        self.opened.append(source)
        return ColourEncoder()

    def listed(self, path: Path, kind: str) -> Mapping[str, Any]:
        return {"name": path.name, "kind": kind}


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("panel"))


def fill(folder: Path) -> Path:
    """Models, a copy of one, a file that is none, and their index."""
    make_folder(folder / "models", NAMES)
    shutil.copy(folder / "models" / "green.safetensors", folder / "models" / "yet another green.safetensors")
    (folder / "models" / "text.safetensors").write_text("no model")
    with Catalog(folder / "catalog.sqlite") as catalog:
        index(catalog, [folder / "models"], colour_engine(), IndexSettings(samples=8))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Free to be changed."""
    return fill(tmp_path)


@pytest.fixture
def panel(indexed: Path) -> Iterator[Panel]:
    panel = Panel(indexed / "catalog.sqlite", ColourHost(indexed))
    yield panel
    panel.close()


@pytest.fixture
def png() -> Callable[[str], bytes]:
    """A picture that holds a colour, as a browser sends it."""

    def make(colour: str) -> bytes:
        picture = Image.new("RGB", (16, 16), (128, 128, 128))
        picture.paste(COLOURS[colour], (0, 0, 10, 10))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return buffer.getvalue()

    return make
