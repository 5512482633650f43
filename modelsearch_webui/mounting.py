"""The panel's routes on the WebUI's own server, FastAPI's: off the event loop, with limits, for its own pages."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.routing import Route as WebRoute

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel import ROUTES, Panel, Reply, Request, Route, answer, may_enter
from modelsearch_core.panel.refusals import RefusedError
from modelsearch_core.panel.routes import json_object, refused

from . import elsewhere
from .host_routes import HOST_ROUTES
from .settings import NAMES_LABEL

ABANDONED = 499  # nobody reads it
MOST_PARTS = 64  # of a form
Logins = Callable[[], Mapping[str, str]]  # names and passwords of the WebUI's `--api-auth`


def router(
    app: Any,
    place: str,
    panel: Callable[[], Panel],
    own_names: Callable[[], Collection[str]],
    api_logins: Logins = dict,
) -> Router:
    """What `app` has below `place`. `panel` is called when the first request comes."""
    lends = panel, own_names, api_logins
    routes = [*ROUTES, *HOST_ROUTES]
    return Router([WebRoute(f"{place}/{r.path}", _endpoint(app, r, *lends), methods=[r.method]) for r in routes])


def foreign(headers: Mapping[str, str]) -> str:
    """Why a request is refused, and what to do where it was the user's own."""
    name = headers.get("Host", "")[:200].rpartition(":")[0] or headers.get("Host", "")[:200]
    return (
        f"Model Search answers no page of another site. If you reach this WebUI under the name {name!r}, write that "
        f"name into Settings, Model Search, “{NAMES_LABEL}”, apply the settings and reload this page"
    )


def may_use(app: Any, request: WebRequest, api_logins: Mapping[str, str]) -> bool:
    """By the WebUI's own rules: its page takes gradio's login (`--gradio-auth`), its API a Basic one (`--api-auth`).
    Where either is asked for, whoever has one of them is let in."""
    has_gradio = getattr(app, "auth", None) is not None or getattr(app, "auth_dependency", None) is not None
    if not (has_gradio or api_logins):
        return True
    cookies = [value for name, value in request.cookies.items() if name.startswith("access-token")]
    if has_gradio and any(value in getattr(page, "tokens", {}) for page in _pages(app) for value in cookies):
        return True
    return _basic_login(request, api_logins)


def _pages(app: Any) -> list[Any]:
    """The WebUI's, and the same below `--subpath` in SD.Next, where it has logins of its own."""
    blocks = getattr(app, "blocks", None)
    mounted = [route.app for route in app.routes if isinstance(route, Mount)]
    return [app, *(page for page in mounted if blocks is not None and getattr(page, "blocks", None) is blocks)]


def _basic_login(request: WebRequest, logins: Mapping[str, str]) -> bool:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        name, _, password = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return False
    right = logins.get(name)
    return right is not None and secrets.compare_digest(password.encode(), right.encode())


def _sign_in(api_logins: Mapping[str, str]) -> Response:
    """A browser asks for a Basic login where it is told that one will do."""
    response = _response(refused(401, "sign in to the WebUI first"))
    if api_logins:
        response.headers["WWW-Authenticate"] = "Basic"
    return response


def _endpoint(
    app: Any,
    route: Route,
    panel: Callable[[], Panel],
    own_names: Callable[[], Collection[str]],
    api_logins: Logins,
) -> Any:
    async def endpoint(request: WebRequest) -> Response:
        if not may_enter(_headers(request), own_names()):
            return _response(refused(403, foreign(_headers(request))))
        if not may_use(app, request, logins := api_logins()):
            return _sign_in(logins)
        try:
            read = await _read(request, route.limit)
        except RefusedError as error:
            return _response(refused(error.status, str(error)))
        except ClientDisconnect:  # a search that was given up; some WebUIs print a page of it
            return Response(status_code=ABANDONED)
        return _response(await run_in_threadpool(lambda: _answered(panel, route, read)))

    return endpoint


def _answered(panel: Callable[[], Panel], route: Route, request: Request) -> Reply:
    """By the search server of the settings, where there is one."""
    try:
        server = elsewhere.chosen()
        if server is not None and route.path not in elsewhere.KEPT:
            return server.answer(route, request)
    except RefusedError as error:
        return refused(error.status, str(error))
    except ModelSearchError as error:
        return refused(400, str(error))
    return answer(panel(), route, request)


def _headers(request: WebRequest) -> dict[str, str]:
    return {name.title(): value for name, value in request.headers.items()}


async def _read(request: WebRequest, limit: int) -> Request:
    path, query = dict(request.path_params), dict(request.query_params)
    if request.method != "POST":
        return Request(path=path, query=query)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    chunks = _limited(request, limit)
    if kind == "multipart/form-data":
        body, pictures = await _form(request, chunks)
        return Request(path=path, query=query, body=body, pictures=pictures)
    if kind != "application/json":
        raise RefusedError(415, f"send JSON or a multipart form, not {kind or 'nothing'}")
    return Request(path=path, query=query, body=json_object(b"".join([chunk async for chunk in chunks])))


async def _limited(request: WebRequest, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes. RefusedError as soon as it is known to be too large."""
    length, size = request.headers.get("content-length", ""), 0
    too_large = RefusedError(413, f"that is too much to send at once; {limit >> 20} MB at most")
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        raise too_large
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large
        yield chunk


async def _form(request: WebRequest, chunks: Any) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
    body: dict[str, Any] = {}
    pictures: dict[str, list[bytes]] = {}
    try:
        form = await MultiPartParser(request.headers, chunks, max_files=MOST_PARTS, max_fields=MOST_PARTS).parse()
    except (RefusedError, ClientDisconnect):
        raise
    except Exception as error:  # what parses a form may raise what it likes
        raise RefusedError(400, f"the form cannot be read: {str(error)[:200]}") from error
    for name, part in form.multi_items():
        if name == "query":
            body = json_object(part.encode() if isinstance(part, str) else await part.read())
        elif not isinstance(part, str):
            pictures.setdefault(name, []).append(await part.read())
    await form.close()
    return body, pictures


def _response(reply: Reply) -> Response:
    keep = "private, max-age=31536000, immutable" if reply.keep else "no-cache"
    headers = {"Content-Type": reply.content_type, "Cache-Control": keep, "X-Content-Type-Options": "nosniff"}
    return Response(reply.content, reply.status, headers)
