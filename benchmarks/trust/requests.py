"""Requests that no browser of ours would send, to a real `modelsearch serve` beyond this machine."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.trust.catalogue import write
from benchmarks.trust.figures import Figures
from modelsearch_core.panel import ROUTES

PIECES = [
    "..",
    "%2e%2e",
    "%2F",
    "/",
    "\\",
    "%00",
    "%5c",
    "etc/passwd",
    "catalog.sqlite",
    "panel.mjs",
    "0",
    "é",
    "%ff",
    ".",
]
VALUES = [None, True, -1, 10**20, 1e308, "", "\ud800", "\0", [], {}, [[]], ["x"] * 99, "x" * 5000, {"a": {"b": []}}]
FIELDS = (  # no text: that would open an encoder
    *("like", "weights", "k", "kind", "method", "style", "respect_layout"),
    *("action", "only", "samples", "folders", "number"),
)


@contextmanager
def serving(folder: Path) -> Generator[tuple[str, str]]:
    """(host:port, token) of a server in a process of its own."""
    words = ["serve", "--host", "0.0.0.0", "--port", "0", "--json", "--catalog", folder / "served.sqlite"]
    command = [sys.executable, "-m", "modelsearch_core.cli", *map(str, words)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        address = urllib.parse.urlsplit(json.loads(text)["address"])
        yield address.netloc, urllib.parse.parse_qs(address.query)["token"][0]
        process.terminate()


def strangers(folder: Path, count: int, seed: int) -> Iterator[Figures]:
    """Without the token nothing is told; with it no request is answered by 5xx, and no file but ours."""
    with open(os.devnull, "w") as sys.stdout:  # noqa: PTH123
        write(folder / "served.sqlite", 0, 3)
    sys.stdout = sys.__stdout__
    with serving(folder) as (netloc, token):
        yield _asked(
            Figures("requests without the token", clock=time.perf_counter), netloc, {}, count, seed, may={401, 400, 403}
        )
        headers = {"Authorization": f"Bearer {token}"}
        allowed = {200, *range(400, 500)}
        yield _asked(
            Figures("requests with the token", clock=time.perf_counter), netloc, headers, count, seed + 1, may=allowed
        )


def _asked(figures: Figures, netloc: str, headers: dict[str, str], count: int, seed: int, may: set[int]) -> Figures:
    chance = random.Random(seed)
    for _ in range(count):
        method, path, body = _request(chance)
        sent = {**headers, **({"Content-Type": "application/json"} if body is not None else {})}
        with figures.timed():
            connection = http.client.HTTPConnection(netloc, timeout=60)
            try:
                connection.request(method, path, body, sent)
                response = connection.getresponse()
                status, content = response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                figures.outcomes["hung up"] += 1
                figures.broken.append(f"{method} {path[:60]}: {error!r}"[:120])
                continue
            finally:
                connection.close()
        figures.outcomes[str(status)] += 1
        if status not in may or b"root:x:0" in content or b"SQLite format" in content:
            figures.broken.append(f"{method} {path[:60]} {body!r:.60}: {status}")
    return figures


def _request(chance: random.Random) -> tuple[str, str, bytes | None]:
    route = chance.choice(ROUTES)
    path = "".join(chance.choice(PIECES) if part.startswith("{") else part for part in _parts(route.path))
    if chance.random() < 0.3:
        path += "".join(chance.choices(PIECES, k=4))
    path = "/modelsearch/" + urllib.parse.quote(path, safe="/%\\.?&=")
    if route.method == "GET":
        return "GET", f"{path}?limit={chance.choice(PIECES)}&offset=1".replace("é", "%C3%A9"), None
    value = {field: chance.choice(VALUES) for field in chance.sample(FIELDS, 3)}
    content = chance.choice(
        [json.dumps(value).encode(), b"[" * 50_000, b"\xff", b"{", b"[1]", json.dumps(value).encode()]
    )
    return "POST", path, content


def _parts(path: str) -> list[str]:
    return path.replace("{", "\n{").replace("}", "}\n").split("\n")
