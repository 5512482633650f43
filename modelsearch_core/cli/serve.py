"""`modelsearch serve`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING

from ..encoders import open_encoder
from ..panel import Panel
from .index import engine
from .tables import print_json

if TYPE_CHECKING:
    from ..server import Server

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STOPPING = 10.0  # seconds for an index run to come to its next step


def serve(args: argparse.Namespace) -> int:
    """Shows the panel in a browser until it is interrupted."""
    from ..server import LocalHost, Server  # brings aiohttp along, or says how to get it

    host = LocalHost(
        args.catalog,
        lambda catalog, opened, style: engine(args, catalog, opened, style=style),
        lambda source: open_encoder(source, device=args.device),
        args.folders,
        may_change_folders=args.host in LOOPBACK,
    )
    panel = Panel(args.catalog, host)
    server = Server(panel=panel, host=args.host, port=args.port, own_names=tuple(args.own_name))
    try:
        asyncio.run(_until_stopped(server, args))
    finally:
        host.stop(STOPPING)
        panel.close()
    return 0


async def _until_stopped(server: Server, args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in ("SIGINT", "SIGTERM"):
        with suppress(NotImplementedError, AttributeError):  # Windows: Ctrl+C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stop.set)
    await server.run(lambda address: _tell(address, args), stop)


def _tell(address: str, args: argparse.Namespace) -> None:
    if args.json:
        print_json({"address": address, "catalog": str(args.catalog)})
    else:
        print(f"Model Search is at {address} (Ctrl+C ends it)", flush=True)
    if args.open:
        webbrowser.open(address)
