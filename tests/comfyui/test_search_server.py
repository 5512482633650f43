"""A ComfyUI that asks another machine's `modelsearch serve` in place of its own index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfyui.collection import COLOURS
from tests.comfyui.host import ComfyUI, shown
from tests.comfyui.test_finding import name_sink
from tests.indexing.folders import make_folder
from tests.server.running import running
from tests.server.test_server import Client

SETTINGS = "/modelsearch/settings"


@pytest.fixture
def studio(comfyui: ComfyUI, tmp_path: Path) -> Iterator[str]:
    """The address that this ComfyUI asks, of an index with a model that it has not got."""
    make_folder(tmp_path / "models", [*COLOURS, "base checkpoint", "red green"])
    with running("tests.server.colour_server", tmp_path) as address:
        Client(address).indexed()
        status, told = comfyui.post(SETTINGS, {"search_server": address})
        assert (status, told["search_server"]) == (200, address)
        yield address.rstrip("/")
        assert comfyui.post(SETTINGS, {"search_server": ""})[0] == 200


def test_the_panel_shows_that_index_in_names_of_this_comfyui(comfyui: ComfyUI, studio: str):
    status = comfyui.get("/modelsearch/status")
    while status.get("search_server") != studio:  # settings are looked at once a second
        status = comfyui.get("/modelsearch/status")
    assert status["host"] == "comfyui"
    _, found = comfyui.post("/modelsearch/search", {"text": "pink"})
    first = found["matches"][0]
    assert first["listed"]["name"] == str(Path("böse Tinte", "tief", "pïnk mit Lücke.safetensors"))
    absent = next(match for match in found["matches"] if match["name"] == "red green")
    assert absent["listed"] == {}
    number = first["thumbnails"][0]
    assert comfyui.get(f"/modelsearch/models/{first['id']}/samples/{number}.webp")[:4] == b"RIFF"


def test_nodes_find_by_that_index_what_this_comfyui_has(comfyui: ComfyUI, studio: str):
    while comfyui.get("/modelsearch/status").get("search_server") != studio:
        pass
    entry = comfyui.run(name_sink("pink"))
    assert shown(entry, "2") == [repr(str(Path("böse Tinte", "tief", "pïnk mit Lücke.safetensors")))]


def test_what_is_no_address_is_refused(comfyui: ComfyUI):
    for wrong in ("nas:8189", 5):
        status, told = comfyui.post(SETTINGS, {"search_server": wrong})
        assert status == 400
        assert "search" in told["error"]
