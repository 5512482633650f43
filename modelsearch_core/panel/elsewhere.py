"""A host whose index is on another machine: what that one answers, in the words of this one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from ..errors import EmptyCatalogError, ModelSearchError
from ..search import Description
from .host import Host
from .library import Library, Snapshot
from .search_server import SearchServer

GLANCE = 1.0  # seconds between two looks at the setting
CARD = frozenset({"id", "path", "kind", "listed"})  # what a model's record has at least


class Elsewhere:
    """`setting` says the search server's address, "" where this host's own index is searched. `listed` is what the host
    calls a model of a snapshot."""

    def __init__(
        self,
        library: Library,
        host: Host,
        listed: Callable[[Snapshot, Description], dict[str, Any]],
        setting: Callable[[], str],
    ) -> None:
        self._library, self._host, self._listed, self._setting = library, host, listed, setting
        self._known: tuple[float, SearchServer | None] = -math.inf, None

    def server(self) -> SearchServer | None:
        """ModelSearchError where the setting is no address."""
        looked, known = self._known
        if time.monotonic() - looked > GLANCE:
            address = self._setting().strip()
            if not address:
                known = None
            elif known is None or known.given != address:
                known = SearchServer(address)
            self._known = time.monotonic(), known
        return known

    @property
    def address(self) -> str:
        """Without what opens it; "" where there is none, or it is no address."""
        try:
            server = self.server()
        except ModelSearchError:
            return ""
        return server.address if server else ""

    def status(self, server: SearchServer, reply: dict[str, Any]) -> dict[str, Any]:
        """The search server's, as this host's panel shows it."""
        return {
            **reply,
            "host": self._host.name,
            "may_change_folders": self._host.may_change_folders,
            "catalog": server.address,
            "search_server": server.address,
            "indexing": self._host.indexer.progress().to_json(),
        }

    def as_here(self, reply: Any) -> Any:
        """An answer with this host's paths and names of the models that it has, too."""
        if isinstance(reply, list):
            return [self.as_here(each) for each in cast("list[Any]", reply)]
        if not isinstance(reply, dict):
            return reply
        known = {name: self.as_here(each) for name, each in cast("dict[str, Any]", reply).items()}
        if not known.keys() >= CARD:
            return known
        here = self.here(str(known["id"]), Path(str(known["path"])), str(known["kind"]))
        if here is None:
            return {**known, "listed": {}}
        return {**known, "path": str(here.path), "listed": self._listed(self._library.newest(), here)}

    def here(self, id: str, path: Path, kind: str) -> Description | None:
        """This host's model that the other machine's is: of the same weights, else of a file name that only one has."""
        try:
            snapshot = self._library.newest()
        except EmptyCatalogError:
            return None
        return snapshot.by_id.get(id) or snapshot.only_one_called(path.name, kind)
