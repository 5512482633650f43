"""A collection that was only scanned: its names, words and previews are there before any encoder is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from modelsearch_core.catalog import Catalog
from modelsearch_core.indexing import IndexSettings, Report, index, silent, update_files
from modelsearch_core.panel import Panel
from tests.indexing.folders import make_folder
from tests.panel.conftest import ColourHost, colour_engine
from tests.panel.test_panel import ask, id_of, names


@pytest.fixture
def scanned(tmp_path: Path) -> Panel:
    make_folder(tmp_path / "models", ["red", "red blue", "ink wash", "base checkpoint"])
    Image.new("RGB", (900, 600), "red").save(tmp_path / "models" / "red.preview.png")
    (tmp_path / "models" / "ink wash.civitai.info").write_text('{"description": "Brushes like those of old scrolls"}')
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        update_files(catalog, [tmp_path / "models"], IndexSettings(), Report(), silent)
    return Panel(tmp_path / "catalog.sqlite", ColourHost(tmp_path))


def test_all_models_are_listed_and_counted(scanned: Panel):
    assert scanned.models({})["total"] == 4
    status = scanned.status()
    assert (status["models"], status["kinds"], status["evidence"]) == (4, {"lora": 3, "checkpoint": 1}, {"nothing": 4})
    assert status["encoder"] == {"ready": False, "megabytes": 605}


def test_a_preview_beside_the_file_is_shown(scanned: Panel):
    (card,) = (model for model in scanned.models({})["models"] if model["name"] == "red")
    assert card["thumbnails"] == [0]
    status, picture = ask(scanned, "GET", "models/{id}/previews/{number}.webp", path={"id": card["id"], "number": "0"})
    assert (status, picture[:4]) == (200, b"RIFF")
    assert scanned.model(card["id"])["samples_shown"] == [{"number": 0, "prompt": ""}]
    assert ask(scanned, "GET", "models/{id}/previews/{number}.webp", path={"id": card["id"], "number": "1"})[0] == 404


def test_a_text_finds_names_and_what_is_said(scanned: Panel):
    assert names(scanned.search({"text": ["blue red"]}, {})) == ["red blue", "red"]
    assert names(scanned.search({"text": ["old scrolls"]}, {})) == ["ink wash"]
    assert names(scanned.search({"text": ["red"], "kind": "checkpoint"}, {})) == []


def test_a_picture_needs_the_encoder_and_it_is_said(scanned: Panel, png: Callable[[str], bytes]):
    status, said = ask(scanned, "POST", "search", pictures={"image": [png("red")]})
    assert (status, said["empty"]) == (409, True)
    assert "no encoder has looked at the models yet" in said["error"]
    assert scanned.map()["places"] == []


def test_once_an_encoder_has_looked_it_answers(scanned: Panel, tmp_path: Path):
    serial = scanned.status()["serial"]
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], colour_engine(), IndexSettings(quick=True))
    scanned.library.forget_reading()
    status = scanned.status()
    assert status["encoder"]["ready"]
    assert status["serial"] > serial
    assert scanned.search({"text": ["red"]}, {})["matches"][0]["relevance"] >= 0
    scanned.model(id_of(scanned, "red"))


def test_it_is_not_read_again_while_nothing_has_changed(scanned: Panel):
    serial = scanned.status()["serial"]
    scanned.library.forget_reading()
    assert scanned.status()["serial"] == serial


def test_what_is_set_by_hand_while_nothing_was_looked_at_is_answered(scanned: Panel):
    id = next(model.id for model in scanned.library.newest().models)
    assert scanned.set_by_hand(id, {"trigger_words": ["scarlet"]})["set"]["trigger_words"] == ["scarlet"]
    assert scanned.library.newest().model(id).trigger_words == ("scarlet",)
