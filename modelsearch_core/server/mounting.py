"""The panel's routes on an aiohttp server: that of `modelsearch serve`, or a host's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web

from ..panel import ROUTES, Panel, Reply, Request, Route, answer, may_enter
from ..panel.refusals import RefusedError
from ..panel.routes import json_object, refused

PREFIX = "/modelsearch/"
THREADS = 4  # with 8, others hinder whoever has the turn: the slowest of a hundred takes twice as long (docs/scale.md)
CHUNK = 1 << 16
WORTH_PACKING = 1 << 11  # bytes
MOST_PARTS = 64  # of a form: three fields of pictures and the query

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def mount(
    routes: web.RouteTableDef,
    panel: Callable[[], Panel],
    *,
    prefix: str = PREFIX,
    own_names: Collection[str] = (),
    more: Sequence[Route] = (),
) -> None:
    """Adds every route of the panel below `prefix`, and `more`, the host's own. `panel` is called, off the event loop,
    when the first request comes, so that a host starts without it. `own_names`: host names, besides addresses and
    localhost, that are ours."""
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="modelsearch")
    for route in (*ROUTES, *more):
        routes.route(route.method, prefix + _pattern(route.path))(_handler(route, panel, pool, own_names))


def _pattern(path: str) -> str:
    return path.replace(":path}", ":.*}")


def _handler(route: Route, panel: Callable[[], Panel], pool: ThreadPoolExecutor, own_names: Collection[str]) -> Handler:
    def work(request: Request) -> Reply:
        return answer(panel(), route, request)

    async def handle(request: web.Request) -> web.StreamResponse:
        if not may_enter(request.headers, own_names):
            return _response(refused(403, "this request comes from another site; open the panel at its own address"))
        try:
            read = await _read(request, route.limit)
        except RefusedError as error:
            return _response(refused(error.status, str(error)))
        return _response(await asyncio.get_running_loop().run_in_executor(pool, work, read))

    return handle


async def _read(request: web.Request, limit: int) -> Request:
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    path, query = dict(request.match_info), dict(request.query)
    if request.method != "POST":
        return Request(path=path, query=query)
    if request.content_type == "multipart/form-data":
        body, pictures = await _form(request, limit)
        return Request(path=path, query=query, body=body, pictures=pictures)
    if request.content_type != "application/json":
        raise RefusedError(415, f"send JSON or a multipart form, not {request.content_type}")
    return Request(path=path, query=query, body=json_object(await _limited(request.content.iter_chunked(CHUNK), limit)))


async def _form(request: web.Request, limit: int) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
    body: dict[str, Any] = {}
    pictures: dict[str, list[bytes]] = {}
    try:
        parts = 0
        async for part in MultipartReader(request.headers, cast("StreamReader", _Counted(request.content, limit))):
            parts += 1
            if not isinstance(part, BodyPartReader):
                raise RefusedError(400, "a form within a form is not understood")
            if parts > MOST_PARTS:
                raise RefusedError(413, f"a form of more than {MOST_PARTS} parts")
            content = await _limited(_chunks(part), limit)
            if part.name == "query":
                body = json_object(content)
            else:
                pictures.setdefault(part.name or "", []).append(content)
    except RefusedError:
        raise
    except Exception as error:  # aiohttp has many, and asserts
        raise RefusedError(400, f"the form cannot be read: {str(error)[:200]}") from error
    return body, pictures


class _Counted:
    """A request's body, of which all counts that is read: parts' contents, heads and boundaries."""

    def __init__(self, stream: StreamReader, limit: int) -> None:
        self._stream, self._limit = stream, limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def readline(self, *args: Any, **kwargs: Any) -> bytes:
        return self._within(await self._stream.readline(*args, **kwargs))

    async def read(self, n: int = -1) -> bytes:
        return self._within(await self._stream.read(n))

    def _within(self, content: bytes) -> bytes:
        self._limit -= len(content)
        if self._limit < 0:
            raise RefusedError(413, "that is too much to send at once")
        return content


async def _chunks(part: BodyPartReader) -> Any:
    while chunk := await part.read_chunk(CHUNK):
        yield chunk


async def _limited(chunks: Any, limit: int) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise _too_large(limit)
    return bytes(content)


def _too_large(limit: int) -> RefusedError:
    return RefusedError(413, f"that is too much to send at once; {limit >> 20} MB at most")


def _response(reply: Reply) -> web.Response:
    keep = "private, max-age=31536000, immutable" if reply.keep else "no-cache"
    headers = {"Content-Type": reply.content_type, "Cache-Control": keep, "X-Content-Type-Options": "nosniff"}
    response = web.Response(status=reply.status, body=reply.content, headers=headers)
    if reply.content_type == "application/json" and len(reply.content) > WORTH_PACKING:
        response.enable_compression()  # as the browser accepts it
    return response
