"""The server over HTTP: a process of its own, real requests."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.indexing.folders import make_folder
from tests.making.fakes import COLOURS
from tests.server.running import ROOT, running

pytest.importorskip("aiohttp", reason="the server needs aiohttp")

NAMES = ["base checkpoint", "red", "green", "blue", "broken pink"]
BOUNDARY = "cut here"


class Client:
    """One address, its JSON."""

    def __init__(self, address: str) -> None:
        self.netloc = urllib.parse.urlsplit(address).netloc

    def __call__(
        self, method: str, path: str, body: bytes | dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, Any]:
        status, content, _ = self.raw(method, path, body, **headers)
        return status, json.loads(content)

    def raw(
        self, method: str, path: str, body: bytes | dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()

    def search(self, query: dict[str, Any], **pictures: bytes) -> tuple[int, Any]:
        return self(
            "POST",
            "/modelsearch/search",
            form(query, pictures),
            Content_Type=f'multipart/form-data; boundary="{BOUNDARY}"',
        )

    def indexed(self, **order: Any) -> dict[str, Any]:
        self("POST", "/modelsearch/index", {"action": "start", "samples": 8, **order})
        return self.settled()

    def settled(self) -> dict[str, Any]:
        """Once the index run has ended."""
        while True:
            status, answer = self("GET", "/modelsearch/index")
            assert status == 200, answer
            if not answer["progress"]["active"]:
                return answer
            time.sleep(0.05)


def form(query: dict[str, Any], pictures: dict[str, bytes]) -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="query"\r\n\r\n{json.dumps(query)}\r\n'.encode()]
    for name, content in pictures.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'
        parts += [head.encode(), content, b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def png(colour: str) -> bytes:
    picture = Image.new("RGB", (64, 64), (128, 128, 128))
    picture.paste(COLOURS[colour], (0, 0, 40, 40))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    make_folder(folder / "models", NAMES)
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    with running("tests.server.colour_server", folder, "--broken", "broken pink", "--own-name", "studio") as address:
        client = Client(address)
        client.indexed()
        yield client


def test_an_index_is_made_and_searched(client: Client):
    status, state = client("GET", "/modelsearch/index")
    assert (status, state["progress"]["state"], state["progress"]["failures"]) == (200, "done", 1)
    assert [f["reason"] for f in state["failures"]] == ["broken pink paints black"]
    for colour in ("red", "green", "blue"):
        assert client("POST", "/modelsearch/search", {"text": [colour]})[1]["matches"][0]["name"] == colour
        assert client.search({}, image=png(colour))[1]["matches"][0]["name"] == colour


def test_samples_are_webp_and_may_be_kept(client: Client):
    match = client("POST", "/modelsearch/search", {"text": ["red"]})[1]["matches"][0]
    status, content, headers = client.raw(
        "GET", f"/modelsearch/models/{match['id']}/samples/{match['thumbnails'][0]}.webp"
    )
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert "immutable" in headers["Cache-Control"]
    assert Image.open(io.BytesIO(content)).size == (64, 64)


def test_the_page_and_its_modules_are_served_under_a_strict_policy(client: Client):
    status, content, headers = client.raw("GET", "/")
    assert status == 200
    assert b"page.mjs" in content
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for file in (ROOT / "web").glob("*.mjs"):
        status, _, headers = client.raw("GET", f"/modelsearch/panel/{file.name}")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "/modelsearch/panel/../server.py",
        "/modelsearch/panel/..%2F..%2Fpyproject.toml",
        "/modelsearch/panel//etc/passwd",
        "/modelsearch/panel/%2Fetc%2Fpasswd",
        "/modelsearch/models/..%2F..%2Fetc/samples/0.webp",
        "/etc/passwd",
        "/catalog.sqlite",
    ],
)
def test_nothing_else_is_served(client: Client, path: str):
    assert client.raw("GET", path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/modelsearch/status"), ("POST", "/modelsearch/index"), ("GET", "/")]
)
def test_other_sites_are_refused(client: Client, method: str, path: str, headers: dict[str, str]):
    assert client.raw(method, path, {"action": "start"} if method == "POST" else None, **headers)[0] == 403


def test_the_users_own_name_is_let_in(client: Client):
    assert client("GET", "/modelsearch/status", Host="studio:80")[0] == 200


def test_a_form_that_another_site_could_send_is_no_order(client: Client):
    """text/plain needs no leave of the browser's."""
    status, said = client("POST", "/modelsearch/index", b'{"action": "cancel"}', Content_Type="text/plain")
    assert status == 415
    assert "send JSON" in said["error"]


def test_bodies_and_pictures_are_limited(client: Client):
    status, said = client("POST", "/modelsearch/index", b" " * (2 << 20), Content_Type="application/json")
    assert (status, said["error"]) == (413, "that is too much to send at once; 1 MB at most")
    status, said = client.search({}, image=bytes(21 << 20))
    assert (status, said["error"]) == (413, "the picture has 21 MB; 20 MB at most")
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    status, said = client.search({}, image=huge.getvalue())
    assert (status, said["error"]) == (413, "the picture has 9000 × 9000 pixels; 64 million at most")


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"{", "application/json", "this is no JSON"),
        (b"[]", "application/json", "send a JSON object, not a list"),
        (b"--x", 'multipart/form-data; boundary="x"', ""),
        (b"", "multipart/form-data", "the form cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused(client: Client, body: bytes, kind: str, message: str):
    status, said = client("POST", "/modelsearch/search", body, Content_Type=kind)
    assert status == 400
    assert message in said["error"]


def test_folders_are_changed_and_remembered(folder: Path, client: Client, tmp_path: Path):
    own = str(folder / "models")
    status, said = client("POST", "/modelsearch/index", {"action": "folders", "folders": [own, str(tmp_path / "no")]})
    assert status == 400
    assert "does not exist" in said["error"]
    status, said = client("POST", "/modelsearch/index", {"action": "folders", "folders": [own, str(tmp_path)]})
    assert [entry["path"] for entry in said["folders"]] == [own, str(tmp_path)]
    with running("tests.server.colour_server", folder, "--no-folder") as address:
        assert [f["path"] for f in Client(address)("GET", "/modelsearch/index")[1]["folders"]] == [own, str(tmp_path)]
    client("POST", "/modelsearch/index", {"action": "folders", "folders": [own]})


def test_the_server_answers_while_it_indexes(tmp_path: Path):
    make_folder(tmp_path / "models", NAMES)
    with running("tests.server.colour_server", tmp_path, "--slow", "0.2") as address:
        client = Client(address)
        client("POST", "/modelsearch/index", {"action": "start", "samples": 16})
        slowest = 0.0
        while "metadata" not in client("GET", "/modelsearch/status")[1]["evidence"]:
            time.sleep(0.05)
        for _ in range(5):
            started = time.monotonic()
            assert client("POST", "/modelsearch/search", {"text": ["red"]})[1]["matches"][0]["name"] == "red"
            slowest = max(slowest, time.monotonic() - started)
        assert client("POST", "/modelsearch/index", {"action": "start"})[0] == 400
        assert client("POST", "/modelsearch/index", {"action": "pause"})[0] == 200
        while client("GET", "/modelsearch/index")[1]["progress"]["state"] != "paused":
            time.sleep(0.05)
        client("POST", "/modelsearch/index", {"action": "cancel"})
        while client("GET", "/modelsearch/index")[1]["progress"]["state"] != "cancelled":
            time.sleep(0.05)
    assert slowest < 2


def test_a_port_in_use_is_named(client: Client, tmp_path: Path):
    port = client.netloc.rpartition(":")[2]
    command = [
        sys.executable,
        "-m",
        "modelsearch_core.cli",
        "serve",
        "--port",
        port,
        "--catalog",
        tmp_path / "c.sqlite",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used" in done.stderr
    assert "--port" in done.stderr


def test_without_aiohttp_the_command_says_how_to_get_it(tmp_path: Path):
    code = (
        "import sys; sys.modules['aiohttp'] = None; from modelsearch_core.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "serve", "--catalog", str(tmp_path / "c.sqlite")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "aiohttp' in done.stderr


def test_the_real_command_serves_and_ends_on_request(tmp_path: Path):
    with running("modelsearch_core.cli", "serve", "--port", 0, "--json", "--catalog", tmp_path / "c.sqlite") as address:
        status, said = Client(address)("GET", "/modelsearch/status")
    assert (status, said["models"]) == (200, 0)
    assert "there is no catalog at" in said["reason"]
