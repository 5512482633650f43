"""Where this library keeps its own files, when nobody says otherwise."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

HOME_VARIABLE = "MODELSEARCH_HOME"


def home() -> Path:
    """The folder of the default catalog and of downloaded weights; `MODELSEARCH_HOME` moves it."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return expanded(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "modelsearch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "modelsearch"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "modelsearch"


def expanded(path: str | Path) -> Path:
    """With the user's own folder for a leading `~`. That of nobody (`~nobody/models`) stays as it is: no such place."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def default_catalog() -> Path:
    return home() / "catalog.sqlite"


@dataclass(frozen=True)
class DatabaseServer:
    """A catalog on a PostgreSQL server, by its URL. As text it has no password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        if parts.password is None:
            return self.url
        name = f"{parts.username or ''}@" if parts.username else ""
        return urlunsplit(parts._replace(netloc=name + parts.netloc.rpartition("@")[2]))


Place = Path | DatabaseServer


def catalog_place(named: str | Path | DatabaseServer) -> Place:
    """Where a catalog is, as a user names it: a file, or a server's `postgresql://…`."""
    if isinstance(named, str) and named.startswith(("postgresql://", "postgres://")):
        return DatabaseServer(named)
    return named if isinstance(named, DatabaseServer) else Path(named)


def beside(catalog: Place) -> Path:
    """The path that files which belong to a catalog lie beside: its own, or one of this machine for a server's."""
    if isinstance(catalog, Path):
        return catalog
    parts = urlsplit(catalog.url)
    told = f"{parts.hostname or 'local'} {parts.port or ''} {parts.path.strip('/')} {parts.query}"
    name = re.sub(r"[^\w.-]+", "_", told).strip("_")
    return home() / "servers" / name / "catalog"
