"""Hostile requests to the pack's routes and prompts with hostile inputs to its nodes, on the real server."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from modelsearch_core.panel import ROUTES
from tests.comfyui.host import ComfyUI, message_of
from tests.comfyui.test_finding import find

POSTS = [route.path.replace("{id}", "x") for route in ROUTES if route.method == "POST"] + ["settings"]
GETS = [route.path.replace("{id}", "x").replace("{number}", "0") for route in ROUTES if route.method == "GET"]
NO_OBJECTS = [b"[" * 100_000, b'{"a":' * 100_000, b"[]", b"null", b'"x"', b"9" * 5000, b"\xff\xfe{", b'{"\\ud800": 1}']
JSON = {"Content-Type": "application/json"}


def sent(server: ComfyUI, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """The path as it is written: nothing is tidied on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def nothing_breaks(comfyui: ComfyUI) -> Any:
    """No route has met what it did not expect, and the server goes on."""
    before = len(comfyui.logged())
    yield
    assert comfyui.get("/modelsearch/status")["models"] > 0
    new = comfyui.logged()[before:]
    assert "Error handling request" not in new and "panel/routes.py" not in new, new[-2000:]


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_no_object_is_refused_in_words(comfyui: ComfyUI, path: str):
    for body in NO_OBJECTS:
        status, said = sent(comfyui, "POST", f"/modelsearch/{path}", body, **JSON)
        assert 400 <= status < 500 and json.loads(said)["error"], (body[:20], status, said[:200])
    status, said = sent(comfyui, "POST", f"/modelsearch/{path}", b"{}", Content_Type="text/plain")
    assert (status, "send JSON" in json.loads(said)["error"]) == (415, True)


@pytest.mark.parametrize(
    "values",
    [
        {"samples": "many"},
        {"samples": [1]},
        {"samples": None},
        {"samples": 1.5},
        {"samples": 10**400},
        {"quiet": -1},
        {"size": 65},
        {"auto_index": "yes"},
        {"wanted": "{}"},
        {"../../x": 1},
        {"\N{PILE OF POO}" * 10_000: 1},
    ],
    ids=lambda values: str(values)[:20],
)
def test_settings_that_are_none_are_refused_and_the_others_stay(comfyui: ComfyUI, values: dict[str, Any]):
    before = comfyui.get("/modelsearch/settings")
    status, said = comfyui.post("/modelsearch/settings", values)
    assert status == 400 and 10 < len(said["error"]) < 1000
    assert comfyui.get("/modelsearch/settings") == before


def test_a_body_without_an_end_is_not_taken(comfyui: ComfyUI):
    assert sent(comfyui, "POST", "/modelsearch/settings", b'{"samples":' + b" " * (2 << 20) + b"1}", **JSON)[0] == 413


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_another_site_is_told_and_changes_nothing(comfyui: ComfyUI, method: str, headers: dict[str, str]):
    paths = [*(GETS if method == "GET" else POSTS), "settings"]
    for path in (path for path in paths if "{" not in path):
        assert sent(comfyui, method, f"/modelsearch/{path}", b"{}", **JSON, **headers)[0] == 403, path


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "ui/..%2f..%2fnodes%2fhost.py",
        "ui/%2fetc%2fpasswd",
        "models/..%2f..%2f..%2fetc%2fpasswd",
        "models/%00",
        "models/x/samples/%2e%2e%2f0.webp",
        "models/x/painted/..%2f..%2fbase/0.webp",
    ],
)
def test_no_path_leads_out(comfyui: ComfyUI, path: str):
    status, said = sent(comfyui, "GET", f"/modelsearch/{path}")
    assert 400 <= status < 500
    assert b"root:" not in said


WRONG_INPUTS: list[dict[str, Any]] = [
    {"text": {"a": 1}},
    {"text": ["no such node", 0]},
    {"text": None},
    {"text": "\0\ud7ff" * 1000},
    {"text": "x " * 500_000},
    {"text": "a", "rank": 10**9},
    {"text": "a", "rank": -1},
    {"text": "a", "rank": "first"},
    {"text": "a", "minimum_relevance": "much"},
    {"text": "a", "folder": "../../.."},
    {"text": "a", "folder": {"x": 1}},
    {"text": "a", "architecture": "nonsense"},
    {"text": "a", "method": 7},
    {"text": "a", "query": ["0", 0]},
]


@pytest.mark.parametrize("inputs", WRONG_INPUTS, ids=lambda inputs: str(inputs)[:30])
def test_wrong_inputs_of_a_find_node_are_told_in_words(comfyui: ComfyUI, inputs: dict[str, Any]):
    sink = {"class_type": "AnySink", "inputs": {"value": ["1", 0]}}
    image = {"class_type": "LoadImage", "inputs": {"image": "red.png"}}
    status, answer = comfyui.post("/prompt", {"prompt": {"0": image, "1": find(**inputs), "2": sink}})
    if status == 400:
        return  # ComfyUI's own validation
    entry = comfyui.finished(answer["prompt_id"])
    said = message_of(entry)
    raw = ("Error:", "Traceback", "object has no attribute", "NoneType", "not supported between")
    assert not any(word in said for word in raw), said


@pytest.mark.parametrize("picture", ["../../../etc/passwd", "..", ".", "", "nowhere.png", "red.png [output]", "\0.png"])
def test_a_picture_that_is_none_is_told_in_words(comfyui: ComfyUI, picture: str):
    inputs = {"picture": picture, "kind": "lora", "count": 3}
    sink = {"class_type": "AnySink", "inputs": {"value": ["1", 0]}}
    status, answer = comfyui.post(
        "/prompt", {"prompt": {"1": {"class_type": "ModelSearchIdentify", "inputs": inputs}, "2": sink}}
    )
    said = json.dumps(answer) if status != 200 else message_of(comfyui.finished(answer["prompt_id"]))
    assert said and "Error" not in said.replace("error", "") and "Errno" not in said, said
