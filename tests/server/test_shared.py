"""Two servers over one catalogue on a database server: what one has indexed, all who ask the other find."""

from __future__ import annotations

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.indexing.folders import make_folder
from tests.making.postgres import PostgresServer
from tests.server.running import running

pytest.importorskip("aiohttp", reason="the server needs aiohttp")

CLIENTS = 24


def asked(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address.rstrip('/')}/modelsearch/{path}", data)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def until(address: str, path: str, is_right: Any) -> Any:
    end = time.monotonic() + 60
    while not is_right(answer := asked(address, path)):
        assert time.monotonic() < end, answer
        time.sleep(0.1)
    return answer


def first(address: str, colour: str) -> str:
    return asked(address, "search", {"text": [colour]})["matches"][0]["name"]


def test_what_one_server_indexes_many_clients_of_another_find(postgres: PostgresServer, tmp_path: Path):
    make_folder(tmp_path / "models", ["base checkpoint", "red", "green"])
    url = postgres.new_database()
    server = "tests.server.colour_server", tmp_path, "--catalog", url
    with running(*server) as studio, running(*server, "--no-folder") as artists:
        asked(studio, "index", {"action": "start", "samples": 8})
        until(studio, "index", lambda answer: answer["progress"]["state"] == "done")
        until(artists, "models", lambda answer: len(answer["models"]) == 3)
        colours = ["red", "green"] * (CLIENTS // 2)
        with ThreadPoolExecutor(CLIENTS) as clients:
            assert list(clients.map(lambda colour: first(artists, colour), colours)) == colours

        make_folder(tmp_path / "models" / "new", ["blue"])
        asked(studio, "index", {"action": "start", "samples": 8})
        until(artists, "models", lambda answer: len(answer["models"]) == 4)
        until(studio, "index", lambda answer: answer["progress"]["state"] == "done")
        end = time.monotonic() + 60
        while first(artists, "blue") != "blue":
            assert time.monotonic() < end
        assert asked(artists, "status")["catalog"] == url
