"""The aiohttp application of `modelsearch serve`, and the thread-safe running of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from aiohttp import web

from ..errors import ModelSearchError
from ..panel import Panel, may_enter, panel_file
from .access import SIGN_IN, Access
from .mounting import PREFIX, mount

PAGE = "page.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(panel: Panel, own_names: Collection[str] = (), access: Access | None = None) -> web.Application:
    """The panel's page at `/`, its routes below `/modelsearch/`. ModelSearchError where the panel's files are not.
    Without `access`, whoever reaches it is let in."""
    panel_file(PAGE)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not may_enter(request.headers, own_names):
            raise web.HTTPForbidden(text="this request comes from another site")
        refusal = None if access is None else await _refusal(access, request)
        response = refusal or await handler(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    async def page(_: web.Request) -> web.Response:
        content, content_type = panel_file(PAGE)
        return web.Response(body=content, headers={"Content-Type": content_type, "Cache-Control": "no-cache"})

    async def icon(_: web.Request) -> web.Response:
        content, content_type = panel_file("icon.svg")
        return web.Response(body=content, headers={"Content-Type": content_type})

    routes = web.RouteTableDef()
    routes.get("/")(page)
    routes.get("/favicon.ico")(icon)
    mount(routes, lambda: panel, prefix=PREFIX, own_names=own_names)
    app = web.Application(middlewares=[guard])
    app.add_routes(routes)
    return app


async def _refusal(access: Access, request: web.Request) -> web.StreamResponse | None:
    """What is answered in place of the request's own answer; None to whoever is signed in."""
    answer = await access.sign_in(request)
    if answer is not None or access.lets_in(request):
        return answer
    if request.path.startswith(PREFIX):
        return web.json_response({"error": SIGN_IN}, status=401)
    return access.page()


@dataclass(kw_only=True)
class Server:
    """Serves until it is stopped. `port` 0 takes a free one; `address` is set once it listens."""

    panel: Panel
    host: str = "127.0.0.1"
    port: int = 8189
    own_names: Collection[str] = ()
    access: Access | None = None
    address: str = field(default="", init=False)

    async def run(self, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """`ready` is called with the address to open."""
        runner = web.AppRunner(make_app(self.panel, self.own_names, self.access), access_log=None)
        await runner.setup()
        try:
            self.address = await self._listen(runner)
            threading.Thread(target=self.panel.warm, name="modelsearch-warm", daemon=True).start()
            ready(self.access.address(self.address) if self.access else self.address)
            await stop.wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> str:
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError as error:
            raise ModelSearchError(
                f"{self.host}:{self.port} cannot be used ({error.strerror or error}); choose another with --port"
            ) from error
        port = runner.addresses[0][1]
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
