"""What can go wrong with a catalog's file, in words: every error of SQLite's becomes one sentence with a way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import CatalogFaultError

BUSY_SECONDS = 30.0
_AGAIN = "and run the same command again"
_SENTENCES = {  # what SQLite says, in lower case; what it means for the user
    "is full": f"{{path}} cannot be written: the disk is full; make room {_AGAIN}",
    "disk i/o": "{path} cannot be read or written ({error}): the disk is full, broken or gone, or files may not grow "
    f"(`ulimit -f`); mend that {_AGAIN}",
    "readonly": "{path} cannot be written: it, its folder or its disk is write-protected; allow that, or copy it and "
    "name the copy with --catalog",
    "unable to open": "{path} cannot be opened: it, its folder or its disk is gone or protected; name another with "
    "--catalog",
    "locked": f"{{path}} is in use: another program has written to it for over {BUSY_SECONDS:.0f} s; wait for "
    f"it, or end it, {_AGAIN}",
    "malformed": "{path} is damaged ({error}); `modelsearch repair --catalog {path}` saves what can be read",
    "not a database": "{path} cannot be used as a catalog ({error}); name another file with --catalog",
    "no such table": f"{{path}} was replaced by another file while it was used ({{error}}); look at it {_AGAIN}",
}


def fault(error: sqlite3.Error, path: Path) -> CatalogFaultError:
    """The sentence for an error."""
    text = str(error)
    for part, sentence in _SENTENCES.items():
        if part in text.lower():
            return CatalogFaultError(sentence.format(path=path, error=text))
    return CatalogFaultError(f"{path} cannot be used ({text}); `modelsearch repair --catalog {path}` may help")


@contextmanager
def in_words(path: Path) -> Generator[None]:
    """Raises CatalogFaultError in place of SQLite's errors. A mistake in a statement stays what it is."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)):
            raise
        raise fault(error, path) from error


def identity(path: Path) -> tuple[int, int] | None:
    """Which file is at `path`; None for none. As long as it stays the same, what is written is there to be read."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def check_identity(path: Path, opened: tuple[int, int] | None) -> None:
    """CatalogFaultError where the file that was opened is not at its place any more: SQLite writes on without it."""
    if identity(path) != opened:
        raise CatalogFaultError(
            f"{path} was deleted or replaced while it was used: what was written since is lost; run the command again"
        )


class Connection(sqlite3.Connection):
    """One whose errors, and whose cursors', are CatalogFaultError. `path` is set right after it is made, `identity`
    once the file is there."""

    path: Path
    identity: tuple[int, int] | None = None

    def cursor(self, *_: Any) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:  # type: ignore[override]
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Cursor:  # type: ignore[override]
        return self.cursor().executemany(sql, parameters)

    def columns(self) -> dict[str, list[str]]:
        tables = self.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: [row[1] for row in self.execute(f"PRAGMA table_info({name})")] for (name,) in tables.fetchall()}

    def stream(self, sql: str, /) -> Iterator[Any]:
        return iter(self.execute(sql))

    def begin(self, *, again: bool = True) -> None:
        check_identity(self.path, self.identity)
        self.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        self.execute("BEGIN")

    def commit(self) -> None:
        """CatalogFaultError where what is committed would not be there to be read."""
        try:
            self.execute("COMMIT")
        except CatalogFaultError:
            self.rollback()
            raise
        check_identity(self.path, self.identity)

    def rollback(self) -> None:
        if self.in_transaction:  # a full disk has ended it already
            self.execute("ROLLBACK")

    def tell(self, keys: Iterable[str]) -> None:
        """SQLite counts changes by itself."""

    def version(self) -> int:
        return int(self.execute("PRAGMA data_version").fetchone()[0])


class Cursor(sqlite3.Cursor):
    connection: Connection  # type: ignore[assignment]

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:  # type: ignore[override]
        with in_words(self.connection.path):
            return super().execute(sql, parameters)  # type: ignore[return-value]

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Cursor:  # type: ignore[override]
        with in_words(self.connection.path):
            return super().executemany(sql, parameters)  # type: ignore[return-value]

    def fetchone(self) -> Any:
        with in_words(self.connection.path):
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        with in_words(self.connection.path):
            return super().fetchall()

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            raise fault(error, self.connection.path) from error


def connect(database: str | Path, path: Path, **options: Any) -> Connection:
    """`sqlite3.connect`, with the faults of the catalog at `path` in words."""
    with in_words(path):
        connection = sqlite3.connect(
            database, factory=Connection, isolation_level=None, check_same_thread=False, **options
        )
    connection.path = path
    return connection
