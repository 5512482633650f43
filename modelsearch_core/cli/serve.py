"""`modelsearch serve`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import signal
import sys
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING

from ..encoders import open_encoder
from ..errors import ModelSearchError
from ..panel import Panel
from .index import engine
from .tables import print_json
from .values import check_folders, check_generation

if TYPE_CHECKING:
    from ..server import Server

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WARNING = (
    "warning: other machines can reach this server. Whoever has its address with the token, or the password, can "
    "search, see your folders, start indexing and write previews; the connection is not encrypted"
)
STOPPING = 10.0  # seconds for an index run to come to its next step


def serve(args: argparse.Namespace) -> int:
    """Shows the panel in a browser until it is interrupted."""
    check_folders(args.folders)
    check_generation(args)
    from ..server import Access, LocalHost, Server  # brings aiohttp along, or says how to get it

    access = Access(_password(args)) if args.host not in LOOPBACK or args.password is not None else None
    host = LocalHost(
        args.catalog,
        lambda catalog, opened, style: engine(args, catalog, opened, style=style),
        lambda source: open_encoder(source, device=args.device),
        args.folders,
        may_change_folders=args.host in LOOPBACK,
        pictures=args.pictures or (),
    )
    panel = Panel(args.catalog, host)
    server = Server(panel=panel, host=args.host, port=args.port, own_names=tuple(args.own_name), access=access)
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


def _password(args: argparse.Namespace) -> str | None:
    """What the user chose; asked for where the option came without it, so that no list of processes shows it."""
    if args.password is None:
        return None
    if password := args.password or getpass.getpass("password for Model Search: "):
        return password
    raise ModelSearchError("--password must not be empty; leave it out to have a token made")


def _tell(address: str, args: argparse.Namespace) -> None:
    if args.host not in LOOPBACK:
        print(WARNING, file=sys.stderr, flush=True)
    if args.json:
        print_json({"address": address, "catalog": str(args.catalog)})
    else:
        print(f"Model Search is at {address} (Ctrl+C ends it)", flush=True)
    if args.open:
        webbrowser.open(address)
