"""Who is let into a server that others can reach, over HTTP."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import running
from tests.server.test_server import Client

pytest.importorskip("aiohttp", reason="the server needs aiohttp")


def serve(folder: Path, *words: object) -> object:
    return running("modelsearch_core.cli", "serve", "--port", 0, "--json", "--catalog", folder / "c.sqlite", *words)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("access"), "--host", "0.0.0.0") as address:  # type: ignore[attr-defined]
        yield address


def token_of(address: str) -> str:
    return urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["token"][0]


def cookie_of(headers: dict[str, str]) -> str:
    return headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/modelsearch/status"),
        ("GET", "/modelsearch/models"),
        ("POST", "/modelsearch/index"),
        ("POST", "/modelsearch/models/x/preview"),
        ("GET", "/modelsearch/panel/panel.mjs"),
        ("GET", "/modelsearch/nothing"),
    ],
)
def test_without_the_token_nothing_is_told_or_done(address: str, method: str, path: str):
    status, said = Client(address)(method, path, {"action": "start"} if method == "POST" else None)
    assert (status, said["error"].split(":")[0]) == (401, "sign in first")


def test_without_the_token_the_page_asks_for_it(address: str):
    status, content, headers = Client(address).raw("GET", "/")
    assert status == 401
    assert b'type="password"' in content
    assert b"page.mjs" not in content
    assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_the_printed_address_signs_in_and_leaves_the_address_bar(address: str):
    client = Client(address)
    status, _, headers = client.raw("GET", f"/?token={token_of(address)}")
    assert (status, headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["Set-Cookie"].split("; "))
    assert token_of(address) not in headers["Set-Cookie"]
    assert client("GET", "/modelsearch/status", Cookie=cookie_of(headers))[0] == 200
    assert b"page.mjs" in client.raw("GET", "/", Cookie=cookie_of(headers))[1]


def test_a_wrong_token_or_cookie_is_refused(address: str):
    client = Client(address)
    status, content, headers = client.raw("GET", "/?token=wrong")
    assert (status, b"not right" in content, "Set-Cookie" in headers) == (401, True, False)
    port = client.netloc.rpartition(":")[2]
    for cookie in (f"modelsearch-{port}=wrong", f"modelsearch-{port}=", f"modelsearch-{port}={token_of(address)}"):
        assert client("GET", "/modelsearch/status", Cookie=cookie)[0] == 401


def test_a_program_sends_the_token_in_a_header(address: str):
    client = Client(address)
    assert client("GET", "/modelsearch/status", Authorization=f"Bearer {token_of(address)}")[0] == 200
    for wrong in ("Bearer x", "Basic x", "Basic ", "Bearer", "Bearer é"):
        assert client("GET", "/modelsearch/status", Authorization=wrong.encode().decode("latin-1"))[0] == 401


def test_each_start_has_a_token_of_its_own(address: str, tmp_path: Path):
    with serve(tmp_path, "--host", "0.0.0.0") as other:  # type: ignore[attr-defined]
        assert len(token_of(other)) >= 32
        assert token_of(other) != token_of(address)


def test_a_password_is_asked_for_on_this_machine_too(tmp_path: Path):
    with serve(tmp_path, "--password", "sesame, öffne") as address:  # type: ignore[attr-defined]
        client = Client(address)
        assert "token" not in address
        assert client("GET", "/modelsearch/status")[0] == 401
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert client.raw("POST", "/login", b"secret=wrong", **form)[0] == 401
        assert client.raw("POST", "/login", b"\xff" * 9000, **form)[0] == 401
        said = urllib.parse.urlencode({"secret": "sesame, öffne"}).encode()
        status, _, headers = client.raw("POST", "/login", said, **form)
        assert status == 303
        assert client("GET", "/modelsearch/status", Cookie=cookie_of(headers))[0] == 200
        assert client.raw("POST", "/login", said, Origin="https://evil.example", **form)[0] == 403


def test_on_this_machine_alone_nobody_is_asked(tmp_path: Path):
    with serve(tmp_path) as address:  # type: ignore[attr-defined]
        assert "token" not in address
        assert Client(address)("GET", "/modelsearch/status")[0] == 200


@pytest.mark.parametrize(("host", "name"), [("[::1]", "web"), ("[::1]:80", "80"), ("127.0.0.1:", "web")])
def test_a_cookie_has_a_name_under_every_name_of_the_server(address: str, host: str, name: str):
    status, _, headers = Client(address).raw("GET", f"/?token={token_of(address)}", Host=host)
    assert (status, cookie_of(headers).partition("=")[0]) == (303, f"modelsearch-{name}")
