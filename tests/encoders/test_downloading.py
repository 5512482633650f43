"""Downloads from a server in this process, which can break off, send rubbish and redirect as the hub does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from modelsearch_core.encoders import downloading
from modelsearch_core.encoders.downloading import DownloadError, download

CONTENT = np.random.default_rng(0).bytes(300_000)


@dataclass
class Server:
    """What it does wrong, and which ranges it was asked for."""

    content: bytes = CONTENT
    announced: bytes = CONTENT  # what size and hash are told of
    break_at: list[int] = field(default_factory=list)  # one answer each ends there
    ranges: bool = True
    hub: bool = True
    lengths: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def parts(self) -> list[str]:
        return [line for line in self.asked if line.startswith("GET /stored")]


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            asked = self.headers.get("Range", "")
            server.asked.append(f"{self.command} {self.path} {asked}".strip())
            if self.path.startswith("/stored") or not server.hub:
                self.send_content(asked, body=body)
            elif self.path.startswith("/file"):
                self.redirect()
            else:
                self.send_error(404)

        def redirect(self) -> None:
            self.send_response(302)
            self.send_header("Location", "/stored")
            self.send_header("X-Linked-Size", str(len(server.announced)))
            self.send_header("X-Linked-ETag", f'"{hashlib.sha256(server.announced).hexdigest()}"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send_content(self, asked: str, *, body: bool) -> None:
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if server.lengths:
                self.send_header("Content-Length", str(len(server.content) - start))
            self.end_headers()
            end = server.break_at.pop(0) if body and server.break_at else len(server.content)
            if body:
                self.wfile.write(server.content[start:end])

        def log_message(self, *_: Any) -> None: ...

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    state = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler(state))
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def fetch(server: Server, target: Path, **others: Any) -> Path:
    return download(f"{server.url}/file", target, pause=0, **others)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix == ".part"]


def test_a_file_arrives_whole_with_its_size_told_from_the_start(server: Server, tmp_path: Path):
    told: list[tuple[str, int, int | None]] = []
    target = fetch(server, tmp_path / "new" / "w.bin", progress=lambda *step: told.append(step))
    assert target.read_bytes() == CONTENT
    assert {(file, total) for file, _, total in told} == {("w.bin", len(CONTENT))}
    assert told[-1][1] == len(CONTENT)
    assert leftovers(target.parent) == []


def test_an_answer_that_breaks_off_is_continued_where_it_ended(server: Server, tmp_path: Path):
    server.break_at = [131_072, 262_144]
    assert fetch(server, tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.parts == ["GET /stored", "GET /stored bytes=131072-", "GET /stored bytes=262144-"]


def test_a_later_run_continues_what_an_earlier_one_left(server: Server, tmp_path: Path):
    server.break_at = [131_072]
    with pytest.raises(DownloadError, match=r"131072 of 300000 bytes.*run again to continue"):
        fetch(server, tmp_path / "w.bin", attempts=1)
    assert not (tmp_path / "w.bin").exists()
    server.asked.clear()
    assert fetch(server, tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.parts == ["GET /stored bytes=131072-"]


def test_a_server_that_cannot_continue_starts_over(server: Server, tmp_path: Path):
    server.ranges, server.break_at = False, [131_072]
    assert fetch(server, tmp_path / "w.bin").read_bytes() == CONTENT


def test_what_was_begun_of_an_older_version_is_not_continued(server: Server, tmp_path: Path):
    server.break_at = [131_072]
    with pytest.raises(DownloadError):
        fetch(server, tmp_path / "w.bin", attempts=1)
    server.content = server.announced = CONTENT[::-1]
    assert fetch(server, tmp_path / "w.bin").read_bytes() == CONTENT[::-1]


def test_a_damaged_file_is_rejected_and_deleted(server: Server, tmp_path: Path):
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match=r"damaged: its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}"):
        fetch(server, tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_known_hash_counts_more_than_what_the_server_says(server: Server, tmp_path: Path):
    with pytest.raises(DownloadError, match=f"not {'0' * 64}"):
        fetch(server, tmp_path / "w.bin", sha256="0" * 64)


def test_a_file_that_is_too_long_is_rejected(server: Server, tmp_path: Path):
    server.content = CONTENT + b"more"
    with pytest.raises(DownloadError, match="300004 bytes came instead of 300000"):
        fetch(server, tmp_path / "w.bin")


def test_a_plain_server_without_hashes_will_do(server: Server, tmp_path: Path):
    server.hub, server.break_at = False, [131_072]
    assert fetch(server, tmp_path / "w.bin").read_bytes() == CONTENT


def test_a_server_that_tells_nothing_cannot_pass_off_half_a_safetensors_file(server: Server, tmp_path: Path):
    server.hub = server.lengths = False
    server.content = save({"weight": np.zeros(50_000, np.float32)})
    assert fetch(server, tmp_path / "w.safetensors").read_bytes() == server.content
    server.break_at = [150_000]
    with pytest.raises(DownloadError, match="150000 bytes are not a whole safetensors file"):
        fetch(server, tmp_path / "half.safetensors")
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "half.safetensors").exists()


def test_a_file_that_is_not_there_is_told_from_a_server_that_is_not(server: Server, tmp_path: Path):
    with pytest.raises(DownloadError, match="answers 404") as missing:
        download(f"{server.url}/nothing", tmp_path / "w.bin")
    with pytest.raises(DownloadError, match="cannot be reached") as unreachable:
        download("http://127.0.0.1:1/file", tmp_path / "w.bin")
    assert missing.value.not_there
    assert not unreachable.value.not_there


def test_a_full_disk_is_told_before_anything_is_loaded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match=r"has 0 MB free, 0 MB are needed"):
        fetch(server, tmp_path / "w.bin")
    assert server.parts == []
