"""What the WebUI calls as its server starts and at "Reload UI", which runs the extension's script again.

Light: what is imported here is waited for at every start of the WebUI. The rest comes with the first request, or in a
thread once the page is up.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from modules import shared
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from . import hosts

OURS = ("modelsearch_core", "modelsearch_webui")
PLACE = "/modelsearch"
_beginnings: list[threading.Thread] = []


def started(_: Any, app: Any) -> None:
    """For `on_app_started`."""
    app.router.routes.extend(Route(f"{place}/{{rest:path}}", _Routes(app, place)) for place in _places())
    beginning = threading.Thread(target=_begin, name="modelsearch-begin", daemon=True)
    _beginnings.append(beginning)
    beginning.start()


def wait_until_begun() -> None:
    """Until what `started` left to a thread is done: it opens CLIP at most, downloads nothing and generates nothing."""
    while _beginnings:
        _beginnings.pop().join()


def unloaded() -> None:
    """For `on_script_unloaded`: ends everything, and lets the next load read the code anew."""
    wait_until_begun()  # else it would begin what has just ended
    if lifecycle := sys.modules.get("modelsearch_webui.lifecycle"):
        lifecycle.end()
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


def before_process(p: Any) -> None:
    """For SD.Next's `on_before_process`: the user's checkpoint comes back where the index has loaded another."""
    if sdnext := sys.modules.get("modelsearch_webui.sdnext"):
        sdnext.before_process(p)


def _places() -> list[str]:
    """Below `--subpath`, too, in SD.Next: it serves its page there itself. The others leave that path to the proxy."""
    if not hosts.is_sdnext():
        return [PLACE]
    below = (shared.cmd_opts.subpath or shared.opts.subpath or "").strip("/")
    return [f"/{below}{PLACE}", PLACE] if below else [PLACE]


def _begin() -> None:
    from .lifecycle import begin

    begin()


class _Routes:
    """Our routes, imported and made when the first request comes. By their whole paths: what a `Mount` takes off is not
    found again where a proxy has taken off `--subpath`."""

    def __init__(self, app: Any, place: str) -> None:
        self._app = app
        self._place = place
        self._made: list[Any] = []
        self._lock = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        router = self._made[0] if self._made else await run_in_threadpool(self._router)
        await router({**scope, "path_params": {}}, receive, send)

    def _router(self) -> Any:
        with self._lock:
            if not self._made:
                from . import lifecycle, mounting

                lends = lifecycle.panel, lifecycle.own_names, lifecycle.api_logins
                self._made.append(mounting.router(self._app, self._place, *lends))
            return self._made[0]
