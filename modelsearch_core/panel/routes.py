"""The panel's routes, and how a request is answered; `description` tells of them in OpenAPI's words."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..errors import EmptyCatalogError, ModelSearchError, UnknownModelError
from .description import description
from .files import panel_file
from .panel import Panel
from .refusals import RefusedError
from .search_server import FORWARDED, KEPT_THERE, SearchServer

JSON_LIMIT = 1 << 20
PICTURES_LIMIT = 64 << 20
BEGIN = "press Index now in the Index view"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Request:
    """`path` holds the route's `{names}`, `query` what follows the question mark, `body` the JSON object; `pictures` a
    multipart form's files by field name (image, sketch, without), whose JSON is the field `query`."""

    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pictures: Mapping[str, Sequence[bytes]] = field(default_factory=dict[str, Sequence[bytes]])


@dataclass(frozen=True)
class Reply:
    """An answer in bytes. `keep`: the browser may keep it, it never changes."""

    status: int
    content: bytes
    content_type: str = "application/json"
    keep: bool = False


@dataclass(frozen=True)
class Route:
    """One address. `limit` is the largest body in bytes; the mounting answers 413 beyond it."""

    method: str
    path: str  # with {names}; `{name:path}` takes slashes too
    handle: Callable[[Panel, Request], Reply]
    limit: int = JSON_LIMIT


def answer(panel: Panel, route: Route, request: Request) -> Reply:
    """Never raises: what a user can act on becomes {"error": message} with a fitting status."""
    try:
        _check_words({**request.path, **request.query})
        is_of_index = (route.method, route.path) in FORWARDED | KEPT_THERE
        server = panel.elsewhere.server() if is_of_index else None
        return route.handle(panel, request) if server is None else _elsewhere(server, panel, route, request)
    except RefusedError as error:
        return refused(error.status, str(error), **error.more)
    except UnknownModelError as error:
        return refused(404, str(error))
    except EmptyCatalogError as error:
        return refused(409, f"{error}; {BEGIN}", empty=True)
    except ModelSearchError as error:
        return refused(400, str(error))
    except Exception as error:  # a bug must reach the user as a message, and the log as a trace
        log.exception("%s %s", route.method, route.path)
        return refused(500, f"{type(error).__name__}: {error}")


def _elsewhere(server: SearchServer, panel: Panel, route: Route, request: Request) -> Reply:
    """What the search server answers to what belongs to the index; all else is this host's own."""
    if (route.method, route.path) in KEPT_THERE:
        raise RefusedError(403, f"that is done at {server.address}, whose index is searched")
    path = re.sub(r"\{(\w+)(:path)?\}", lambda name: quote(request.path[name[1]], safe=""), route.path)
    if route.path.endswith(".webp"):
        return _webp(server.picture(path), keep="previews" not in route.path)
    reply = server.json(route.method, path, query=request.query, body=request.body, pictures=request.pictures)
    return _json(panel.elsewhere.status(server, reply) if route.path == "status" else panel.elsewhere.as_here(reply))


def _check_words(words: Mapping[str, str]) -> None:
    """RefusedError for a path or query that is no text: half a pair of surrogates, or a NUL, which no path has."""
    for word in (*words, *words.values()):
        if "\0" in word or (not word.isprintable() and word.encode("utf-8", "replace").decode() != word):
            raise RefusedError(400, f"{ascii(word)[:100]} is no text")


def refused(status: int, message: str, **more: object) -> Reply:
    return Reply(status, json.dumps({"error": message, **more}).encode())


def json_object(content: bytes) -> dict[str, Any]:
    """A request's body. RefusedError (400) if it is no JSON object."""
    try:
        value = json.loads(content or b"{}")
        json.dumps(value, ensure_ascii=False).encode()  # half a pair of surrogates can be neither stored nor sent
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"this is no JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise RefusedError(400, f"send a JSON object, not a {type(value).__name__}")
    return value


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _webp(content: bytes, *, keep: bool = True) -> Reply:
    return Reply(200, content, "image/webp", keep=keep)


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise RefusedError(404, f"there is no sample {text[:50]!r}")
    return int(text)


def _file(name: str) -> Reply:
    content, content_type = panel_file(name)
    return Reply(200, content, content_type)


ROUTES: tuple[Route, ...] = (
    Route("GET", "status", lambda panel, _: _json(panel.status())),
    Route("POST", "search", lambda panel, r: _json(panel.search(r.body, r.pictures)), PICTURES_LIMIT),
    Route("GET", "models", lambda panel, r: _json(panel.models(r.query))),
    Route("GET", "models/{id}", lambda panel, r: _json(panel.model(r.path["id"], r.query.get("answer", "")))),
    Route(
        "GET",
        "models/{id}/samples/{number}.webp",
        lambda panel, r: _webp(panel.sample(r.path["id"], _number(r.path["number"]))),
    ),
    Route(
        "GET",
        "models/{id}/previews/{number}.webp",
        lambda panel, r: _webp(panel.preview(r.path["id"], _number(r.path["number"])), keep=False),
    ),
    Route(
        "GET",
        "models/{id}/base/{number}.webp",
        lambda panel, r: _webp(panel.base_sample(r.path["id"], _number(r.path["number"]))),
    ),
    Route(
        "GET",
        "models/{id}/painted/{part}/{number}.webp",
        lambda panel, r: _webp(panel.rendering(r.path["id"], r.path["part"], _number(r.path["number"]))),
    ),
    Route("POST", "models/{id}/preview", lambda panel, r: _json(panel.save_preview(r.path["id"], r.body))),
    Route("GET", "models/{id}/by_hand", lambda panel, r: _json(panel.by_hand(r.path["id"]))),
    Route("POST", "models/{id}/by_hand", lambda panel, r: _json(panel.set_by_hand(r.path["id"], r.body))),
    Route("POST", "previews", lambda panel, r: _json(panel.save_previews(r.body))),
    Route("GET", "map", lambda panel, _: _json(panel.map())),
    Route("GET", "check", lambda panel, _: _json(panel.check())),
    Route("POST", "check", lambda panel, _: _json(panel.start_check())),
    Route(
        "POST",
        "classifiers/search",
        lambda panel, r: _json(panel.classifiers.search(r.body, r.pictures)),
        PICTURES_LIMIT,
    ),
    Route("GET", "classifiers", lambda panel, _: _json({**panel.classifiers.models(), "job": panel.probing.state()})),
    Route("POST", "classifiers", lambda panel, _: _json(panel.start_probing())),
    Route("GET", "classifiers/trust", lambda panel, _: _json(panel.classifiers.trust())),
    Route("GET", "classifiers/{id}", lambda panel, r: _json(panel.classifiers.model(r.path["id"]))),
    Route(
        "GET",
        "classifiers/probes/{number}.webp",
        lambda panel, r: _webp(panel.classifiers.probe(_number(r.path["number"]))),
    ),
    Route("GET", "duplicates", lambda panel, r: _json(panel.duplicates(r.query.get("of")))),
    Route("GET", "index", lambda panel, _: _json(panel.indexing())),
    Route("POST", "index", lambda panel, r: _json(panel.change_indexing(r.body))),
    Route("GET", "openapi.json", lambda *_: _json(description())),
    Route("GET", "panel/{name:path}", lambda panel, r: _file(r.path["name"])),
)
