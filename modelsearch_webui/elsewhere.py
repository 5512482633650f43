"""A `modelsearch serve` elsewhere in place of an index of one's own: its answers, with this WebUI's names in them.

A model's id is the fingerprint of its weights, so a file here is known as what it is, whatever it is called and
wherever it lies. What is there only is shown without buttons; what is here only is not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import requests
from PIL import Image

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel import Reply, Request, Route
from modelsearch_core.panel.refusals import RefusedError
from modelsearch_core.search import Match, Query

from . import own_files, places, settings
from .host_routes import MOST_MAKERS

ASKED = ("search", "classifiers/search")  # what may be sent there; all else is only looked at
KEPT = ("panel/{name:path}", "openapi.json")  # what is the same here
SECONDS = (5.0, 120.0)  # to connect, and between two bytes of an answer
MOST = 100  # matches that are asked for where only a WebUI's own are wanted
BAD_GATEWAY = 502
WHERE = "Settings, Model Search, Search server"


def chosen() -> Elsewhere | None:
    """The server of the settings; None where this WebUI has an index of its own. ModelSearchError for no address."""
    address, _, token = settings.text("server").partition("?token=")  # as `modelsearch serve` prints it
    if not address:
        return None
    if not address.startswith(("http://", "https://")):
        raise ModelSearchError(f"a search server's address begins with http:// or https://, not {address!r}: {WHERE}")
    return _at(address.rstrip("/"), token or settings.text("server_token"))


@lru_cache(maxsize=1)
def _at(address: str, secret: str) -> Elsewhere:
    return Elsewhere(address, secret)


class Elsewhere:
    """One server. Its methods may be called from any thread."""

    collection = SimpleNamespace(entries=())  # as `choose` wants to know of pairs

    def __init__(self, address: str, secret: str) -> None:
        self.address = address
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def answer(self, route: Route, request: Request) -> Reply:
        """What the server answers. RefusedError for what changes its index, and where it cannot be asked."""
        if route.path in OWN:
            return Reply(200, json.dumps(OWN[route.path](self, request), ensure_ascii=False).encode())
        if route.method == "POST" and route.path not in ASKED:
            raise RefusedError(403, f"this is the index of {self.address}; it is changed there")
        path = route.path
        for name, value in request.path.items():
            path = path.replace("{" + name + "}", quote(value, safe="")).replace("{" + name + ":path}", quote(value))
        reply = self._ask(route.method, path, request)
        content_type = reply.headers.get("Content-Type", "")
        if not content_type.startswith("application/json"):
            return Reply(reply.status_code, reply.content, content_type, keep="immutable" in str(reply.headers))
        named = _named(reply.json(), own_files.by_id())
        if route.path == "status":
            named |= {"host": "webui", "may_change_folders": False}
        return Reply(reply.status_code, json.dumps(named, ensure_ascii=False).encode())

    def search(
        self,
        query: Query,
        *,
        kind: str | None = None,
        architecture: str | None = None,
        among: Collection[Path] | None = None,
        method: str = "auto",
        k: int = 10,
        diverse: bool = False,
    ) -> list[Match]:
        """As an index's own, of this WebUI's own files."""
        filters = {"kind": kind, "architecture": architecture, "method": method, "diverse": diverse, "k": MOST}
        body = {"text": list(query.text), **{name: value for name, value in filters.items() if value}}
        pictures = {"image": [_png(image) for image in query.images]} if query.images else {}
        reply = self._ask("POST", "search", Request(body=body, pictures=pictures))
        files = own_files.by_id()
        found = [_match(each, files.get(each["id"], ())) for each in _good(reply)["matches"]]
        own = [match for match in found if match is not None and (among is None or match.path in among)]
        return [replace(match, rank=rank) for rank, match in enumerate(own[:k], 1)]

    def listed(self, request: Request) -> dict[str, Any]:
        """The model that an Extra Networks card shows."""
        path = places.path_of(str(request.query.get("kind")), str(request.query.get("name")))
        id = own_files.fingerprint(path) if path else None
        if id is None:
            raise RefusedError(404, f"this WebUI does not list {request.query.get('name')!r}")
        return _named(_good(self._ask("GET", f"models/{id}", Request())), own_files.by_id())

    def makers(self, request: Request) -> dict[str, Any]:
        """Models that make pictures like a form's `image`."""
        body = {"k": MOST_MAKERS}
        found = _good(self._ask("POST", "search", Request(body=body, pictures=request.pictures)))["matches"]
        return {"models": [{**each, "named": False} for each in found], "absent": []}

    def model(self, id: str) -> Any:
        """What a prompt needs to know of a model, with its files here. ModelSearchError where it has none."""
        told = _good(self._ask("GET", f"models/{quote(id, safe='')}", Request()))
        paths = own_files.by_id().get(id)
        if not paths:
            raise ModelSearchError(f"{told['name']} is not in this WebUI's folders; {self.address} has it")
        return SimpleNamespace(**{**told, "path": paths[0], "copies": tuple(paths[1:])})

    def architecture_of(self, path: Path | None) -> str | None:
        """That of a file here; None where the server does not know it."""
        id = own_files.fingerprint(path) if path else None
        reply = self._ask("GET", f"models/{id}", Request()) if id else None
        if reply is None or reply.status_code == requests.codes.not_found:
            return None
        architecture = _good(reply)["architecture"]
        return None if architecture == "unknown" else architecture

    def _ask(self, method: str, path: str, request: Request) -> requests.Response:
        sent: dict[str, Any] = {}
        if request.pictures:
            sent["data"] = {"query": json.dumps(request.body)}
            sent["files"] = [(name, (name, each)) for name, contents in request.pictures.items() for each in contents]
        elif method == "POST":
            sent["json"] = dict(request.body)
        url = f"{self.address}/modelsearch/{path}"
        try:
            reply = requests.request(
                method, url, params=dict(request.query), headers=self._headers, timeout=SECONDS, **sent
            )
        except requests.RequestException as error:
            raise RefusedError(BAD_GATEWAY, f"{self.address} does not answer ({_why(error)}): {WHERE}") from error
        if reply.status_code == requests.codes.unauthorized:
            raise RefusedError(BAD_GATEWAY, f"{self.address} wants another token: {WHERE}")
        return reply


def _good(reply: requests.Response) -> Any:
    """Its JSON. ModelSearchError with the server's words where it refuses."""
    try:
        told = reply.json()
    except ValueError:
        told = {}
    if not reply.ok:
        raise ModelSearchError(str(told.get("error") or f"the search server answers {reply.status_code}"))
    return told


def _match(told: Mapping[str, Any], files: Sequence[Path]) -> Match | None:
    """With the files here; None where there is none."""
    if not files:
        return None
    given = {field.name: told[field.name] for field in fields(Match) if field.name in told}
    lists = {name: tuple(told[name]) for name in ("trigger_words", "thumbnails")}
    return Match(**{**given, **lists, "path": files[0], "copies": tuple(files[1:]), "explanation": ()})


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


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _why(error: requests.RequestException) -> str:
    return type(error).__name__ if isinstance(error, requests.ConnectionError) else str(error)[:200]


OWN: dict[str, Callable[[Elsewhere, Request], dict[str, Any]]] = {
    "webui/listed": Elsewhere.listed,
    "webui/makers": Elsewhere.makers,
}
