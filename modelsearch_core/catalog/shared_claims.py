"""Claims on a server: rows are taken by SKIP LOCKED, so that nobody waits for anybody else's long write.

Whose owner has no connection any more is free at once, whichever machine that was; after a restart of the server its
owners have `RETURN` seconds to come back. Times are the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from .claims import LEASE, Claims
from .postgres import PostgresConnection

PREFIX = "modelsearch "  # of the name under which a connection shows itself
RETURN = 120.0  # seconds
_NOW = "extract(epoch FROM clock_timestamp())"
_START = "extract(epoch FROM pg_postmaster_start_time())"
_MAKE = "INSERT INTO claim (what, owner, until) VALUES (%s, '', 0) ON CONFLICT DO NOTHING"
_TAKE = f"""
UPDATE claim SET owner = %(owner)s, until = {_NOW} + {LEASE} WHERE what IN (
    SELECT what FROM claim WHERE what = %(what)s AND (
        owner = %(owner)s OR until < {_NOW} OR (
            (until - {LEASE} > {_START} OR {_NOW} > {_START} + {RETURN}) AND NOT EXISTS (
                SELECT 1 FROM pg_stat_activity WHERE application_name = '{PREFIX}' || right(owner, 16)
            )
        )
    ) FOR UPDATE SKIP LOCKED
) RETURNING what
"""


class SharedClaims(Claims):
    """The part of a server's catalog that holds them."""

    def __init__(self, connection: PostgresConnection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._server = connection
        super().__init__(connection, transaction)

    def _mark(self) -> str:
        return self._server.name.removeprefix(PREFIX)

    def take(self, what: str) -> bool:
        self._server.run(_MAKE, (what,))
        return bool(self._server.run(_TAKE, {"what": what, "owner": self._owner}).fetchall())

    def renew(self) -> None:
        self._server.run(f"UPDATE claim SET until = {_NOW} + {LEASE} WHERE owner = %s", (self._owner,))

    def release(self, what: str) -> None:
        self._server.run("DELETE FROM claim WHERE what = %s AND owner = %s", (what, self._owner))
