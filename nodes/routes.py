"""The panel's routes and our settings on ComfyUI's server; indexing begins when it listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from server import PromptServer

from ..modelsearch_core.errors import ModelSearchError
from ..modelsearch_core.panel import may_enter
from ..modelsearch_core.server import mount
from . import requirements, settings
from .host import host, panel

ADDRESS = "/modelsearch/settings"
log = logging.getLogger(__name__)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register() -> None:
    server = PromptServer.instance
    mount(server.routes, panel, own_names=names())
    server.routes.get(ADDRESS)(get_settings)
    server.routes.post(ADDRESS)(post_settings)
    server.app.on_startup.append(begin)


class AnyName(frozenset[str]):
    """A server that was opened to a network is called whatever that network calls it."""

    def __contains__(self, _: object) -> bool:
        return True


def names() -> frozenset[str]:
    """What our server may be called in an address, besides localhost and numbers."""
    from comfy.cli_args import args

    return frozenset() if all(name in LOOPBACK for name in args.listen.split(",")) else AnyName()


async def begin(_: web.Application) -> None:
    if lacking := requirements.missing():
        log.warning("%s", requirements.how_to_install(lacking))
    host().indexer.watch()


async def get_settings(_: web.Request) -> web.Response:
    return web.json_response(shown(await asyncio.to_thread(settings.load)))


async def post_settings(request: web.Request) -> web.Response:
    """Changes the settings that the JSON object names."""
    if not may_enter(request.headers, names()):
        return web.json_response({"error": "this request comes from another site"}, status=403)
    try:
        return web.json_response(shown(await asyncio.to_thread(change, await request.json())))
    except (ModelSearchError, ValueError, AttributeError, RecursionError) as error:
        return web.json_response({"error": str(error)}, status=400)


def change(values: Mapping[str, Any]) -> settings.Settings:
    changed = settings.load().changed(values)
    settings.save(changed)
    return changed


def shown(values: settings.Settings) -> dict[str, Any]:
    return {name: value for name, value in vars(values).items() if name not in settings.PRIVATE}
