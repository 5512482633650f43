"""The panel's routes and our settings on ComfyUI's server; indexing begins when it listens."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from server import PromptServer

from ..modelsearch_core.panel import Reply, Route
from ..modelsearch_core.server import mount
from . import requirements, settings
from .host import host, panel

log = logging.getLogger(__name__)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register() -> None:
    server = PromptServer.instance
    mount(server.routes, panel, own_names=names(), more=SETTINGS)
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


def change(values: Mapping[str, Any]) -> settings.Settings:
    """Those that the JSON object names."""
    changed = settings.load().changed(values)
    settings.save(changed)
    return changed


def shown(values: settings.Settings) -> Reply:
    told = {name: value for name, value in vars(values).items() if name not in settings.PRIVATE}
    return Reply(200, json.dumps(told).encode())


SETTINGS = (
    Route("GET", "settings", lambda *_: shown(settings.load())),
    Route("POST", "settings", lambda _, request: shown(change(request.body))),
)
