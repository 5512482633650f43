"""A first start without CLIP, behind a proxy that answers nothing: what works at once, and what is said of the rest."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.comfyui.engine import act, until
from tests.comfyui.host import ComfyUI, install, message_of, other_packs, shown
from tests.comfyui.test_finding import find
from tests.indexing.folders import make_folder

NO_PROXY_THERE = "http://127.0.0.1:9"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDA+J+BgYGBAQAWBAIB6VH1LwAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def server(needs_comfyui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    base = tmp_path_factory.mktemp("first")
    install(base)
    other_packs(base)
    make_folder(base / "models" / "loras", ["ink wash", "neon night"])
    make_folder(base / "models" / "checkpoints", ["grey checkpoint"])
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")
    elsewhere = {"HF_HOME": str(base / "hf"), "XDG_CACHE_HOME": str(base / "cache"), "TORCH_HOME": str(base / "torch")}
    server = ComfyUI(base, environment={**dict.fromkeys(proxies, NO_PROXY_THERE), **elsewhere})
    try:
        server.wait_until_up()
        until(server, lambda now: now["state"] == "done", 120)
        yield server
    finally:
        server.stop()


def sink(value: list[object]) -> dict[str, object]:
    return {"class_type": "AnySink", "inputs": {"value": value}}


def test_names_are_known_and_the_size_of_what_is_missing_is_told(server: ComfyUI):
    status = server.get("/modelsearch/status")
    assert (status["models"], status["encoder"]["ready"]) == (3, False)
    assert status["encoder"]["megabytes"] == 605
    assert "WARNING: Model Search" not in server.logged()


def test_the_panel_and_a_find_node_answer_by_words(server: ComfyUI):
    status, answer = server.post("/modelsearch/search", {"text": ["neon street"]})
    assert (status, [match["name"] for match in answer["matches"]]) == (200, ["neon night"])
    entry = server.run({"1": find(text="neon street"), "2": sink(["1", 0])})
    assert shown(entry, "2") == ["'neon night.safetensors'"]


def test_what_is_known_by_its_name_only_is_applied_only_when_that_is_asked_for(server: ComfyUI):
    def stack(minimum: float) -> list[str]:
        inputs = {"matches": ["1", 6], "count": 1, "strength": 1.0, "minimum_relevance": minimum}
        load = {"class_type": "ModelSearchLoadLora", "inputs": inputs}
        return shown(server.run({"1": find(text="neon street"), "l": load, "s": sink(["l", 4])}), "s")

    assert stack(0.5) == ["''"]
    assert stack(0.0) == ["'<lora:neon night:0.8>'"]


def test_what_needs_clip_says_which_button_brings_it(server: ComfyUI):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        + PNG
        + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(server.address + "/modelsearch/search", form, headers)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    said = json.loads(refused.value.read())["error"]
    assert "modelsearch index" not in said and "Errno" not in said
    entry = server.run({"1": find(text="sunset"), "2": sink(["1", 0])})
    assert "Download CLIP (605 MB)" in message_of(entry)


def test_a_download_that_fails_says_so_and_takes_nothing_away(server: ComfyUI):
    act(server, "start", quick=True, download=True)
    ended = until(server, lambda now: not now["active"], 300)
    assert ended["state"] == "failed"
    assert ended["message"] and not any(word in ended["message"] for word in ("Traceback", "Errno", "object at 0x"))
    print(ended["message"])
    entry = server.run({"1": find(text="neon street"), "2": sink(["1", 0])})
    assert shown(entry, "2") == ["'neon night.safetensors'"]


def test_the_server_queues_its_own_prompts_behind_that_proxy(server: ComfyUI):
    """Nothing of the run goes through a request to itself: it fails by what is missing, not by the proxy's port."""
    act(server, "start")
    ended = until(server, lambda now: not now["active"], 300)
    assert ended["state"] == "failed"
    assert ":9" not in ended["message"]
    assert Path(server.base / "user" / "__modelsearch" / "catalog.sqlite").is_file()
