"""A `modelsearch serve` elsewhere in place of an index of one's own: its answers, with this WebUI's names in them.

A model's id is the fingerprint of its weights, so a file here is known as what it is, whatever it is called and
wherever it lies. What is there only is shown without buttons; what is here only is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel import Reply, Request, Route
from modelsearch_core.panel.refusals import RefusedError
from modelsearch_core.panel.search_server import SearchServer
from modelsearch_core.search import Filters, Match, Query

from . import own_files, places, settings
from .host_routes import MOST_MAKERS

SENT = ("search", "classifiers/search")  # what may be sent there; all else is only looked at
TELLS_WHERE = ("status", "index")  # what the page learns of whose index it shows
KEPT = ("panel/{name:path}", "openapi.json")  # what is the same here
MOST = 100  # matches that are asked for where only a WebUI's own are wanted
NOT_THERE = 404
WHERE = "Settings, Model Search, Search server"


def chosen() -> Elsewhere | None:
    """The server of the settings; None where this WebUI has an index of its own. ModelSearchError for no address."""
    address = settings.text("server")  # as `modelsearch serve` prints it
    return _at(address, settings.text("server_token")) if address else None


@lru_cache(maxsize=1)
def _at(address: str, secret: str) -> Elsewhere:
    return Elsewhere(address, secret)


class Elsewhere:
    """One server. Its methods may be called from any thread."""

    collection = SimpleNamespace(entries=())  # as `choose` wants to know of pairs

    def __init__(self, address: str, secret: str) -> None:
        self._server = SearchServer(address, secret, WHERE)
        self.address = self._server.address

    def answer(self, route: Route, request: Request) -> Reply:
        """What the server answers. RefusedError for what changes its index, and where it cannot be asked."""
        if route.path in OWN:
            return Reply(200, json.dumps(OWN[route.path](self, request), ensure_ascii=False).encode())
        if route.method == "POST" and route.path not in SENT:
            raise RefusedError(403, f"this is the index of {self.address}; it is changed there")
        path = route.path
        for name, value in request.path.items():
            path = path.replace("{" + name + "}", quote(value, safe="")).replace("{" + name + ":path}", quote(value))
        sent = {"query": request.query, "body": request.body, "pictures": request.pictures}
        if path.endswith(".webp"):
            return Reply(200, self._server.picture(path), "image/webp", keep="previews" not in path)
        named = _named(self._server.json(route.method, path, **sent), own_files.by_id())
        if route.path == "status":
            named |= {"host": "webui", "may_change_folders": False}
        if route.path in TELLS_WHERE:
            named |= {"search_server": self.address}
        return Reply(200, json.dumps(named, ensure_ascii=False).encode())

    def search(
        self,
        query: Query,
        *,
        filters: Filters | None = None,
        method: str = "auto",
        k: int = 10,
        diverse: bool = False,
    ) -> list[Match]:
        """As an index's own, of this WebUI's own files."""
        found = self._server.search(query, filters=filters, method=method, k=MOST, diverse=diverse)
        files = own_files.by_id()
        here = [replace(m, path=files[m.id][0], copies=tuple(files[m.id][1:])) for m in found if files.get(m.id)]
        among = None if filters is None or filters.among is None else set(filters.among)
        own = [match for match in here if among is None or match.path in among]
        return [replace(match, rank=rank) for rank, match in enumerate(own[:k], 1)]

    def listed(self, request: Request) -> dict[str, Any]:
        """The model that an Extra Networks card shows."""
        path = places.path_of(str(request.query.get("kind")), str(request.query.get("name")))
        id = own_files.fingerprint(path) if path else None
        if id is None:
            raise RefusedError(404, f"this WebUI does not list {request.query.get('name')!r}")
        return _named(self._server.json("GET", f"models/{id}"), own_files.by_id())

    def makers(self, request: Request) -> dict[str, Any]:
        """Models that make pictures like a form's `image`."""
        found = self._server.json("POST", "search", body={"k": MOST_MAKERS}, pictures=request.pictures)["matches"]
        return {"models": [{**each, "named": False} for each in found], "absent": []}

    def model(self, id: str) -> Any:
        """What a prompt needs to know of a model, with its files here. ModelSearchError where it has none."""
        told = self._server.json("GET", f"models/{quote(id, safe='')}")
        paths = own_files.by_id().get(id)
        if not paths:
            raise ModelSearchError(f"{told['name']} is not in this WebUI's folders; {self.address} has it")
        return SimpleNamespace(**{**told, "path": paths[0], "copies": tuple(paths[1:])})

    def architecture_of(self, path: Path | None) -> str | None:
        """That of a file here; None where the server does not know it."""
        id = own_files.fingerprint(path) if path else None
        try:
            architecture = self._server.json("GET", f"models/{id}")["architecture"] if id else "unknown"
        except RefusedError as error:
            if error.status != NOT_THERE:
                raise
            return None
        return None if architecture == "unknown" else architecture


def _named(value: Any, files: Mapping[str, Sequence[Path]]) -> Any:
    """With what this WebUI calls each model, in place of what its host there does."""
    if isinstance(value, list):
        return [_named(each, files) for each in value]
    if not isinstance(value, dict):
        return value
    named = {name: _named(each, files) for name, each in value.items()}
    if "listed" in value and "id" in value:
        listed = (places.listed(path, value["kind"]) for path in files.get(value["id"], ()))
        named["listed"] = dict(next(filter(None, listed), {}))
    return named


OWN: dict[str, Callable[[Elsewhere, Request], dict[str, Any]]] = {
    "webui/listed": Elsewhere.listed,
    "webui/makers": Elsewhere.makers,
}
