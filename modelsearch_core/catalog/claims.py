"""Who is at work on what: two indexers of one catalog share the models instead of generating from each twice.

A claim is a row with its owner and a time until which it holds; work renews it. One that is left behind by a process
that ended counts for nothing, at once on the same machine, after its time on another.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from .connection import Connection

LEASE = 900.0  # seconds without a sign; loading a large model takes minutes
POLL = 0.5


class Claims:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction
        self._owner = f"{socket.gethostname()} {os.getpid()} {self._mark()}"

    def _mark(self) -> str:
        """One that no other process has."""
        return secrets.token_hex(8)

    def take(self, what: str) -> bool:
        """Whether it is ours now; False while another is at it."""
        with self._transaction():
            row = self._connection.execute("SELECT owner, until FROM claim WHERE what = ?", (what,)).fetchone()
            if row is not None and row[0] != self._owner and row[1] > time.time() and _is_alive(row[0]):
                return False
            values = what, self._owner, time.time() + LEASE
            self._connection.execute("INSERT OR REPLACE INTO claim VALUES (?, ?, ?)", values)
        return True

    def renew(self) -> None:
        """All of ours hold for another while."""
        with self._transaction():
            self._connection.execute("UPDATE claim SET until = ? WHERE owner = ?", (time.time() + LEASE, self._owner))

    def release(self, what: str) -> None:
        with self._transaction():
            self._connection.execute("DELETE FROM claim WHERE what = ? AND owner = ?", (what, self._owner))

    @contextmanager
    def taken(self, what: str) -> Generator[bool]:
        """`take`, and `release` at the end."""
        is_ours = self.take(what)
        try:
            yield is_ours
        finally:
            if is_ours:
                self.release(what)

    @contextmanager
    def awaited(self, what: str, while_waiting: Callable[[], None]) -> Generator[None]:
        """Ours as soon as nobody else is at it. `while_waiting` may raise to stop."""
        while not self.take(what):
            while_waiting()
            time.sleep(POLL)
        try:
            yield
        finally:
            self.release(what)


def _is_alive(owner: str) -> bool:
    """Whether the owner's process may still be there; of another machine's nobody here can tell."""
    host, process, _ = owner.rsplit(" ", 2)
    if host != socket.gethostname() or os.name != "posix":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
