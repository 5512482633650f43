"""What lives from the start of the WebUI's server to its end, or to "Reload UI": panel, indexer, idle starter."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from modules import shared

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel import Order, Panel

from . import hosts, places, settings
from .host import WebUIHost
from .indexing import IdleStarter

log = logging.getLogger(__name__)
STOPPING = 10.0  # seconds for an index run to come to its next step


class Running:
    """What lives from one start to the next reload."""

    def __init__(self) -> None:
        path = places.catalog_path()
        self.host = WebUIHost(path)
        self.panel = Panel(path, self.host)
        self.idle = IdleStarter(self.host.indexer, self.has_work)

    def has_work(self) -> bool:
        """Whether there are models that nothing was generated from, and that did not fail."""
        if settings.text("server"):
            return False
        try:
            snapshot = self.panel.library.newest()
        except ModelSearchError:
            return bool(places.lora_paths())
        models = [model for model in snapshot.models if model.kind != "pictures"]
        return any(m.evidence != "generated" and m.id not in snapshot.failures for m in models)

    def stop(self) -> None:
        self.idle.stop()
        self.host.stop(STOPPING)
        self.panel.close()


_running: list[Running] = []
_lock = threading.Lock()


def running() -> Running:
    with _lock:
        if not _running:
            _running.append(Running())
        return _running[0]


def panel() -> Panel:
    return running().panel


def end() -> None:
    with _lock:
        if _running:
            _running.pop().stop()


def own_names() -> tuple[str, ...]:
    """Names that a browser may use for this server besides addresses and localhost."""
    given = [shared.cmd_opts.server_name or "", *settings.text("own_names").split(",")]
    return tuple(name.strip().casefold() for name in given if name.strip())


def api_logins() -> dict[str, str]:
    """Passwords by name of `--api-auth name:password,name:password`, read as the WebUI's own API reads them; in SD.Next
    of `--auth` and `--auth-file`."""
    if hosts.is_sdnext():
        file = shared.cmd_opts.auth_file
        given = ",".join([shared.cmd_opts.auth or "", *(Path(file).read_text("utf-8").split() if file else ())])
        return {name.strip('" '): password.strip('" ') for name, password in _pairs(given)}
    return dict(_pairs(getattr(shared.cmd_opts, "api_auth", None) or ""))


def _pairs(given: str) -> list[tuple[str, str]]:
    return [(name, password) for name, sign, password in (entry.partition(":") for entry in given.split(",")) if sign]


def begin() -> None:
    """Goes on with what a restart interrupted, else reads what can be read without generating or downloading. A search
    server does that by itself."""
    if settings.text("server"):
        return
    indexer = running().host.indexer
    order = indexer.ordered() or (Order(quick=True) if settings.value("quick_start") else None)
    try:
        if order and places.folders() and indexer.has_encoder():
            indexer.start(order, may_download=False)
    except ModelSearchError as error:
        log.warning("Model Search: %s", error)
