"""What the page's buttons outside the tab ask for."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import PngImagePlugin

from tests.webui.collection import painted
from tests.webui.test_mounting import BOUNDARY, Client


@pytest.fixture
def client(webui: Any) -> Client:
    return Client(webui)


def png(colour: str, parameters: str = "") -> bytes:
    said, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    if parameters:
        said.add_text("parameters", parameters)
    painted(colour).save(buffer, "PNG", pnginfo=said)
    return buffer.getvalue()


def makers(client: Client, content: bytes) -> dict[str, Any]:
    part = b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + content
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode() + part + f"\r\n--{BOUNDARY}--\r\n".encode()
    status, answer, _ = client.ask(
        "POST", "webui/makers", body, content_type=f"multipart/form-data; boundary={BOUNDARY}"
    )
    assert status == 200, answer
    return answer


def test_a_cards_name_leads_to_its_model(client: Client):
    _, lora, _ = client.ask("GET", "webui/listed?kind=lora&name=red")
    assert (lora["name"], lora["kind"]) == ("red", "lora")
    _, checkpoint, _ = client.ask("GET", "webui/listed?kind=checkpoint&name=grey%20checkpoint")
    assert (checkpoint["name"], checkpoint["kind"]) == ("grey checkpoint", "checkpoint")


def test_a_card_that_is_not_indexed_is_told(client: Client):
    status, answer, _ = client.ask("GET", "webui/listed?kind=lora&name=new")
    assert status == 404 and "'new' is not in the index yet" in answer["error"]


def test_what_a_file_says_of_itself_comes_first_then_what_it_looks_like(client: Client):
    told = "a harbour <lora:green:0.8> <lora:lost:1>\nSteps: 20, Sampler: Euler, Model: elsewhere"
    answer = makers(client, png("red", told))
    assert [(m["name"], m["named"]) for m in answer["models"][:2]] == [("green", True), ("red", False)]
    assert set(answer["absent"]) == {"lost", "elsewhere"}


def test_without_a_word_the_likeness_decides(client: Client):
    answer = makers(client, png("red"))
    assert answer["models"][0]["name"] == "red" and not answer["absent"]


def test_previews_are_written_for_those_that_have_none_and_nothing_else_is_touched(
    webui: Any, client: Client, tmp_path: Path
):
    loras = webui.base / "models" / "Lora"
    own = loras / "red.png"
    own.write_bytes(b"the user's own")
    before = set(loras.rglob("*"))
    try:
        assert client.ask("GET", "webui/previews")[1] == {"lacking": 4}
        assert client.post("webui/previews", {})[1] == {"written": 4, "refused": {}}
        new = set(loras.rglob("*")) - before
        assert {path.name for path in new} == {
            f"{name}.preview.png" for name in ("green", "blue", "yellow", "pïnk mit Lücke")
        }
        assert own.read_bytes() == b"the user's own"
        assert client.ask("GET", "webui/previews")[1] == {"lacking": 0}
        assert client.post("webui/previews", {})[1]["written"] == 0
    finally:
        for path in {own, *(set(loras.rglob("*")) - before)}:
            path.unlink()


def test_the_first_copy_that_the_webui_lists_names_a_model(webui: Any, client: Client, tmp_path: Path):
    """A copy outside the WebUI's folders comes first by name."""
    panel = webui.ours("lifecycle").panel()
    snapshot = panel.library.newest()
    model = next(m for m in snapshot.models if m.name == "red")
    elsewhere = tmp_path / "red.safetensors"
    shutil.copy(model.path, elsewhere)
    copied = type(model)(**{**vars(model), "path": elsewhere, "copies": (model.path,)})
    assert panel._listed(snapshot, copied) == {"tag": "red", "name": "red"}
    assert json.loads(json.dumps(panel._listed(snapshot, model))) == {"tag": "red", "name": "red"}
