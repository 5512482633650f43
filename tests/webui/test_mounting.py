"""The panel's routes on a Starlette server, as FastAPI's is."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.webui.collection import painted

BOUNDARY = "a-boundary"


class Client:
    """Calls the server in this process. `leaves`: goes away before it has sent anything. `root_path`: the WebUI's
    `--subpath`, which a proxy takes off the path; `below`: SD.Next's, which none does."""

    leaves = False
    below = ""
    root_path = ""

    def __init__(self, webui: Any, **app: Any) -> None:
        from starlette.applications import Starlette

        self.app = Starlette()
        self.app.__dict__.update(app)
        webui.ours("start").started(None, self.app)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, dict[str, str]]:
        given = {"host": "127.0.0.1:7860", **{name.replace("_", "-"): value for name, value in headers.items()}}
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": f"{self.below}/modelsearch/{path}",
            "query_string": query.encode(), "root_path": self.root_path, "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip
        with ThreadPoolExecutor(1) as thread:  # of its own: playwright keeps a loop running in this one
            return thread.submit(asyncio.run, self._ask(scope, body)).result()

    async def _ask(self, scope: dict[str, Any], body: bytes) -> tuple[int, Any, dict[str, str]]:
        sent: list[Any] = []
        parts = [body[start : start + 65536] for start in range(0, len(body), 65536)] or [b""]

        async def receive() -> dict[str, Any]:
            if self.leaves:
                return {"type": "http.disconnect"}
            part = parts.pop(0) if parts else b""
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        is_json = headers.get("content-type") == "application/json"
        return sent[0]["status"], json.loads(content) if is_json else content, headers

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        return self.ask("POST", path, json.dumps(body).encode(), content_type="application/json", **headers)[:2]


@pytest.fixture
def client(webui: Any) -> Client:
    return Client(webui)


def test_below_a_path_that_a_proxy_takes_off_all_is_found(client: Client):
    client.root_path = "/sd"
    assert client.ask("GET", "status")[0] == client.ask("GET", "panel/panel.mjs")[0] == 200
    assert client.ask("GET", "nowhere")[0] == 404


def form(query: dict[str, Any], colour: str) -> bytes:
    buffer = io.BytesIO()
    painted(colour).save(buffer, "PNG")
    parts = [b'name="query"\r\n\r\n' + json.dumps(query).encode()]
    parts += [b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + buffer.getvalue()]
    lines = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode() + part + b"\r\n" for part in parts]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def test_status_and_models(client: Client):
    status, answer, headers = client.ask("GET", "status")
    assert (status, answer["host"], answer["models"]) == (200, "webui", 7)
    assert headers["x-content-type-options"] == "nosniff"
    _, page, _ = client.ask("GET", "models?name=red")
    assert page["models"][0]["listed"] == {"tag": "red", "name": "red"}


def test_a_dropped_picture_finds_its_lora(client: Client):
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    status, answer, _ = client.ask("POST", "search", form({"kind": "lora"}, "green"), content_type=kind)
    assert status == 200 and answer["matches"][0]["name"] == "green"


def test_samples_are_served_and_nothing_beside_them(client: Client):
    _, page, _ = client.ask("GET", "models?name=red")
    id = page["models"][0]["id"]
    status, content, headers = client.ask("GET", f"models/{id}/samples/0.webp")
    assert (status, content[:4], headers["content-type"]) == (200, b"RIFF", "image/webp")
    for path in (f"models/{id}/samples/99.webp", "models/x/samples/0.webp", "panel/../install.py", "panel/%2e%2e/a"):
        assert client.ask("GET", path)[0] == 404


def test_the_panels_files_are_served(client: Client):
    status, content, headers = client.ask("GET", "panel/panel.mjs")
    assert status == 200 and b"mountPanel" in content and headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"host": "elsewhere.example"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "null"},
    ],
)
def test_other_sites_are_refused(client: Client, headers: dict[str, str]):
    assert client.ask("GET", "status", **headers)[0] == 403
    assert client.post("index", {"action": "start"}, **headers)[0] == 403


def test_names_that_the_user_gave_are_ours(webui: Any):
    webui.find("modules.shared").opts.data["modelsearch_own_names"] = " Studio.lan , x"
    webui.find("modules.shared").cmd_opts.server_name = "box"
    client = Client(webui)
    assert [client.ask("GET", "status", host=f"{name}:7860")[0] for name in ("studio.lan", "box", "y")] == [
        200,
        200,
        403,
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (1 << 21), "application/json", 413),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"x", f"multipart/form-data; boundary={BOUNDARY}", 400),
        (b"x", "multipart/form-data", 400),
    ],
)
def test_what_cannot_be_read_is_refused(client: Client, body: bytes, kind: str, status: int):
    got, answer, _ = client.ask("POST", "index", body, content_type=kind)
    assert got == status and answer["error"]


def test_a_length_that_is_too_large_is_refused_before_it_is_read(client: Client):
    assert client.ask("POST", "search", b"{}", content_type="application/json", content_length=str(1 << 30))[0] == 413


def test_where_gradio_wants_a_password_so_do_we(webui: Any):
    client = Client(webui, auth={"user": "word"}, tokens={"token": "user"})
    assert client.ask("GET", "status")[0] == 401
    assert client.ask("GET", "status", cookie="access-token-unsecure-1=wrong")[0] == 401
    assert client.ask("GET", "status", cookie="access-token-unsecure-1=token")[0] == 200


def test_a_login_of_the_same_page_below_a_path_opens_it_and_that_of_another_does_not(webui: Any):
    from starlette.applications import Starlette

    client = Client(webui, auth={"user": "word"}, blocks="the page")
    for path, blocks, token in (("/sd", "the page", "here"), ("/other", "another", "there")):
        page = Starlette()
        page.__dict__.update(blocks=blocks, tokens={token: "user"})
        client.app.mount(path, page)
    cookies = {token: f"access-token-unsecure-1={token}" for token in ("here", "there")}
    assert {token: client.ask("GET", "status", cookie=cookie)[0] for token, cookie in cookies.items()} == {
        "here": 200,
        "there": 401,
    }


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


def test_where_the_api_wants_a_password_so_do_we(webui: Any):
    webui.find("modules.shared").cmd_opts.api_auth = "ann:word,bob:p:q"
    for app in ({}, {"auth": {"user": "word"}, "tokens": {"token": "user"}}):
        client = Client(webui, **app)
        status, _, headers = client.ask("GET", "status")
        assert (status, headers["www-authenticate"]) == (401, "Basic")
        assert client.post("index", {"action": "cancel"})[0] == 401
        for login in ("ann:word", "bob:p:q"):
            assert client.ask("GET", "status", authorization=basic(login))[0] == 200
        for wrong in (basic("ann:"), basic("ann:Word"), basic("x:word"), basic(":"), "Basic é", "Bearer word"):
            assert client.ask("GET", "status", authorization=wrong)[0] == 401
        with_cookie = client.ask("GET", "status", cookie="access-token-unsecure-1=token")[0]
        assert with_cookie == (200 if app else 401)


def test_nothing_is_written_into_folders_of_another_webui(webui: Any, monkeypatch: pytest.MonkeyPatch):
    client = Client(webui)
    id = client.ask("GET", "models?name=red")[1]["models"][0]["id"]
    monkeypatch.setattr(webui.ours("places"), "folders", list)
    status, said = client.post(f"models/{id}/preview", {"number": 0})
    assert (status, "none of this host's folders" in said["error"]) == (403, True)


def test_a_name_that_is_refused_is_told_with_the_setting_that_admits_it(client: Client):
    _, answer, _ = client.ask("GET", "status", host="mypc:7860")
    assert "under the name 'mypc'" in answer["error"]
    assert "Settings, Model Search, “Names under which a browser reaches this WebUI" in answer["error"]


def test_a_search_that_is_given_up_while_it_is_sent_raises_nothing(client: Client):
    """Some WebUIs print a page of what is raised."""
    client.leaves = True
    for kind in ("application/json", f"multipart/form-data; boundary={BOUNDARY}"):
        assert client.ask("POST", "search", b"{", content_type=kind)[0] == 499


def test_what_is_not_ours_is_not_found(client: Client):
    assert client.ask("GET", "elsewhere")[0] == 404
