"""A connection to wherever a catalog is, and what differs between a file and a server."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ..places import Place
from . import database
from .claims import Claims
from .connection import Connection
from .postgres import PostgresConnection
from .shared_claims import PREFIX, SharedClaims


def connect(place: Place, *, read_only: bool) -> Connection:
    """One whose schema is the newest."""
    if isinstance(place, Path):
        return database.connect(place, read_only=read_only)
    from . import postgres_schema

    return postgres_schema.connect(place, read_only=read_only, name=PREFIX + secrets.token_hex(8))


def claims_of(connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> Claims:
    if isinstance(connection, PostgresConnection):
        return SharedClaims(connection, transaction)
    return Claims(connection, transaction)


def is_there(place: Place) -> bool:
    """Whether anybody has made a catalog there. A server that cannot be asked raises CatalogFaultError."""
    if isinstance(place, Path):
        return place.is_file()
    from . import postgres_schema

    return postgres_schema.is_there(place)
