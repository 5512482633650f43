"""A real `modelsearch serve` in place of the WebUI's own index; its models lie here under names of this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.errors import ModelSearchError
from tests.server.running import running
from tests.webui.collection import painted
from tests.webui.conftest import use_folders
from tests.webui.test_host_routes import makers, png
from tests.webui.test_mounting import Client
from tests.webui.test_script import FLOOR, processing


@pytest.fixture(scope="module")
def server(collection: Path) -> Iterator[str]:
    catalog = collection / "modelsearch" / "catalog.sqlite"
    with running("modelsearch_core.cli", "serve", "--port", 0, "--json", "--catalog", catalog) as address:
        yield address


@pytest.fixture
def client(webui: Any, server: str, collection: Path, tmp_path: Path) -> Client:
    """Of a WebUI that has two of the server's LoRA, one under another name, and one of its checkpoints; no index."""
    loras, checkpoints = tmp_path / "models" / "Lora", tmp_path / "models" / "Stable-diffusion"
    loras.mkdir(parents=True)
    checkpoints.mkdir()
    there = collection / "models"
    shutil.copy(there / "Lora" / "red.safetensors", loras / "my crimson.safetensors")
    shutil.copy(there / "Lora" / "green.safetensors", loras)
    shutil.copy(there / "Stable-diffusion" / "grey checkpoint.safetensors", checkpoints)
    use_folders(webui.find, tmp_path)
    webui.find("modules.shared").opts.data["modelsearch_server"] = server
    return Client(webui)


def listed(client: Client) -> dict[str, Any]:
    status, answer, _ = client.ask("GET", "models")
    assert status == 200, answer
    return {model["name"]: model["listed"] for model in answer["models"]}


def test_its_models_are_shown_by_the_names_they_have_here(client: Client):
    assert listed(client) == {
        "red": {"tag": "my crimson", "name": "my crimson"},
        "green": {"tag": "green", "name": "green"},
        "grey checkpoint": {"name": "grey checkpoint.safetensors [abc]"},
        **{name: {} for name in ("blue", "yellow", "pïnk mit Lücke", "a checkpoint")},
    }


def test_a_file_that_is_changed_is_no_longer_that_model(client: Client, tmp_path: Path):
    listed(client)
    loras = tmp_path / "models" / "Lora"
    shutil.copy(loras / "my crimson.safetensors", loras / "green.safetensors")
    assert listed(client)["green"] == {}


def test_pictures_come_from_there_and_the_status_says_where_it_is(client: Client):
    _, answer, _ = client.ask("GET", "models")
    (red,) = [model for model in answer["models"] if model["name"] == "red"]
    status, content, headers = client.ask("GET", f"models/{red['id']}/samples/{red['thumbnails'][0]}.webp")
    assert status == 200 and content[8:12] == b"WEBP" and headers["content-type"] == "image/webp"
    _, told, _ = client.ask("GET", "status")
    assert (told["models"], told["host"], told["may_change_folders"]) == (7, "webui", False)


def test_it_is_searched_and_not_changed(client: Client, server: str):
    body = json.dumps({"text": ["red"], "k": 3}).encode()
    status, answer, _ = client.ask("POST", "search", body, content_type="application/json")
    assert status == 200 and len(answer["matches"]) == 3
    status, answer, _ = client.ask("POST", "index", b'{"action": "start"}', content_type="application/json")
    assert status == 403 and "it is changed there" in answer["error"] and server.rstrip("/") in answer["error"]
    for path in ("status", "index"):
        assert client.ask("GET", path)[1]["search_server"] == server.rstrip("/")


def test_a_card_and_a_picture_lead_to_its_models(client: Client):
    _, model, _ = client.ask("GET", "webui/listed?kind=lora&name=my%20crimson")
    assert (model["name"], model["listed"]["tag"]) == ("red", "my crimson")
    assert makers(client, png("green"))["models"][0]["name"] == "green"


def test_the_script_picks_among_what_is_here(client: Client, webui: Any):
    p = processing()
    webui.ours("picking").apply(p, True, "picture", painted("red"), 1, FLOOR, True)
    assert "<lora:my crimson:" in p.all_prompts[0], p.said
    p = processing()
    webui.ours("picking").apply(p, True, "picture", painted("blue"), 3, 0.0, False)
    assert {part.split(":")[1] for part in p.all_prompts[0].split("<")[1:]} <= {"my crimson", "green"}


def test_its_lora_goes_into_a_prompt_and_one_that_is_not_here_does_not(client: Client, webui: Any):
    _, answer, _ = client.ask("GET", "models")
    ids = {model["name"]: model["id"] for model in answer["models"]}
    texts = {"txt2img_prompt": "a harbour", "txt2img_neg_prompt": ""}
    change = webui.ours("prompts").change
    assert change({"tab": "txt2img", "model": ids["red"]}, texts)["done"] == "added"
    assert "<lora:my crimson:" in texts["txt2img_prompt"]
    with pytest.raises(ModelSearchError, match="blue is not in this WebUI's folders"):
        change({"tab": "txt2img", "model": ids["blue"]}, texts)


def test_nothing_is_indexed_here(client: Client, webui: Any):
    webui.ours("lifecycle").begin()
    assert not webui.ours("places").catalog_path().exists()
    assert webui.ours("lifecycle").running().has_work() is False


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [("http://127.0.0.1:9", 502, "does not answer"), ("studio:8189", 400, "begins with http://")],
)
def test_where_it_cannot_be_asked_the_page_says_so_and_where_to_mend_it(
    client: Client, webui: Any, address: str, status: int, said: str
):
    webui.find("modules.shared").opts.data["modelsearch_server"] = address
    got, answer, _ = client.ask("GET", "status")
    assert got == status and said in answer["error"] and "Settings, Model Search, Search server" in answer["error"]


@pytest.mark.parametrize("by", ["password", "the address with its token"])
def test_a_guarded_server_wants_its_token(webui: Any, collection: Path, by: str):
    catalog = collection / "modelsearch" / "catalog.sqlite"
    words = ("--password", "open sesame") if by == "password" else ()
    data = webui.find("modules.shared").opts.data
    serve = ("modelsearch_core.cli", "serve", "--port", 0, "--json", "--host", "0.0.0.0", "--catalog", catalog)
    with running(*serve, *words) as address:
        data["modelsearch_server"] = address.partition("?")[0]
        status, answer, _ = Client(webui).ask("GET", "models")
        assert status == 502 and "wants another token" in answer["error"]
        data.update(modelsearch_server=address, modelsearch_server_token="open sesame" if words else "")
        body = json.dumps({"text": ["red"]}).encode()
        assert Client(webui).ask("POST", "search", body, content_type="application/json")[0] == 200
