"""Opens a catalog: SQLite in WAL mode, so that a reader searches while another process indexes."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ..errors import EmptyCatalogError, ModelSearchError
from .migrations import STEPS

BUSY_SECONDS = 30.0
INDEX = "modelsearch index FOLDER"


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection whose schema is the newest; autocommit, transactions are begun by hand."""
    try:
        connection = _open_reader(path) if read_only else _open_writer(path)
        _check_version(connection, path)
        if read_only and 0 < _version(connection) < len(STEPS):
            _bring_up_to_date(path)
        if read_only:
            _check_schema(connection, path)
        else:
            _migrate(connection)
    except sqlite3.DatabaseError as error:
        raise ModelSearchError(
            f"{path} cannot be used as a catalog ({error}); name another file with --catalog"
        ) from error
    return connection


def _open_writer(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _open_reader(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise EmptyCatalogError(f"there is no catalog at {path} yet", command=INDEX)
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(
        f"{uri}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # a write-protected folder: WAL cannot make its -shm file there
        connection.close()
        connection = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > len(STEPS):
        raise ModelSearchError(
            f"{path} was written by a newer Model Search (schema {version}, this one knows {len(STEPS)}); "
            "update this one"
        )


def _bring_up_to_date(path: Path) -> None:
    """An older version's catalog, for whoever only wants to read it; left as it is where it is write-protected."""
    with suppress(sqlite3.OperationalError), closing(_open_writer(path)) as connection:
        _migrate(connection)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """A reader may meet a catalog that is being made this very moment, or an old one that nobody may write to."""
    version = _version(connection)
    if version == len(STEPS):
        return
    connection.close()
    if version == 0:
        raise EmptyCatalogError(f"{path} is not ready to be read; wait for indexing to begin", command=INDEX)
    raise ModelSearchError(
        f"{path} is of an older Model Search (schema {version}, this one's is {len(STEPS)}) and cannot be written to; "
        "allow that, or copy it to where it is allowed and name the copy with --catalog"
    )


def _migrate(connection: sqlite3.Connection) -> None:
    for number in range(_version(connection), len(STEPS)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == number:  # another process may have been first
                STEPS[number](connection)
                connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
