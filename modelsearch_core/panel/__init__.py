"""What every host's routes call: JSON and pictures in, JSON and pictures out; no web framework, safe from any thread.

A host makes one `Panel(catalog_path, host)` and mounts `ROUTES` below `/modelsearch/`; each request becomes a `Request`
and is answered by `answer(panel, route, request)`, which never raises. `modelsearch_core.server.mounting` does that for
aiohttp (the server of `modelsearch serve`, and ComfyUI). Handlers block: call them off the event loop.

A host lends a `Host`: its folders, its encoder, what it calls a model, and an `Indexer`. `IndexJob` is an Indexer that
runs `modelsearch_core.indexing` in a thread, with any engine.

In the browser `web/panel.mjs` has `mountPanel(element, {api, host})`; its header says which actions a host may lend.
"""

from .files import panel_file
from .host import Folder, Host, Indexer, Order, Progress, State
from .job import IndexJob, looked_at
from .origins import may_enter
from .panel import Panel
from .routes import ROUTES, Reply, Request, Route, answer

__all__ = [
    "ROUTES",
    "Folder",
    "Host",
    "IndexJob",
    "Indexer",
    "Order",
    "Panel",
    "Progress",
    "Reply",
    "Request",
    "Route",
    "State",
    "answer",
    "looked_at",
    "may_enter",
    "panel_file",
]
