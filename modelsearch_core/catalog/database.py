"""Opens a catalog's file: SQLite in WAL mode, so that a reader searches while another process indexes."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

from ..errors import CatalogFaultError, EmptyCatalogError, ModelSearchError
from . import faults
from .faults import BUSY_SECONDS, Connection, identity
from .migrations import STEPS

INDEX = "modelsearch index FOLDER"
BACKUP = "before schema"  # in the names of copies that are made before a migration
_MIGRATING = threading.Lock()


def connect(path: Path, *, read_only: bool) -> Connection:
    """A connection whose schema is the newest; autocommit, transactions are begun by hand. Whatever goes wrong with the
    file, now or later, is a CatalogFaultError with the way out."""
    connection = _open_reader(path) if read_only else _open_writer(path)
    _check_version(connection, path)
    if read_only and 0 < _version(connection) < len(STEPS):
        _bring_up_to_date(path)
    if read_only:
        _check_schema(connection, path)
    else:
        _migrate(connection, path)
    connection.identity = identity(path)
    return connection


def _open_writer(path: Path) -> Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogFaultError(
            f"{path} cannot be made: {error.strerror or error} ({error.filename}); name another with --catalog"
        ) from error
    connection = faults.connect(path, path, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _open_reader(path: Path) -> Connection:
    if not path.is_file():
        raise EmptyCatalogError(f"there is no catalog at {path} yet", command=INDEX)
    uri = path.resolve().as_uri()
    connection = faults.connect(f"{uri}?mode=ro", path, uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except CatalogFaultError as error:
        if not isinstance(error.__cause__, sqlite3.OperationalError):
            raise
        connection.close()  # a write-protected folder: WAL cannot make its -shm file there
        connection = faults.connect(f"{uri}?immutable=1", path, uri=True)
    return connection


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: Connection, path: Path) -> None:
    version = _version(connection)
    if version > len(STEPS):
        raise ModelSearchError(
            f"{path} was written by a newer Model Search (schema {version}, this one knows {len(STEPS)}); "
            "update this one"
        )


def _bring_up_to_date(path: Path) -> None:
    """An older version's catalog, for whoever only wants to read it; left as it is where it is write-protected."""
    with suppress(CatalogFaultError), closing(_open_writer(path)) as connection:
        _migrate(connection, path)


def _check_schema(connection: Connection, path: Path) -> None:
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


def _migrate(connection: Connection, path: Path) -> None:
    """A host's threads come here at the same moment; the others find it done."""
    with _MIGRATING:
        if 0 < _version(connection) < len(STEPS):
            _back_up(connection, path)
        _take_steps(connection)


def _take_steps(connection: Connection) -> None:
    """A new catalog is made in one go, so that nobody takes one that is being made for one of an older version."""
    while (version := _version(connection)) < len(STEPS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == version:  # another process may have been first
                then = version + 1 if version else len(STEPS)
                for number in range(version, then):
                    STEPS[number](connection)
                connection.execute(f"PRAGMA user_version = {then}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _back_up(connection: Connection, path: Path) -> None:
    """A copy as it is before the migration, beside the catalog, in the place of the last one."""
    target = path.with_name(f"{path.stem} {BACKUP} {len(STEPS)}{path.suffix}")
    part = path.with_name(f"{target.name}.{os.getpid()}.part")
    before = _version(connection)
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
        with closing(sqlite3.connect(part)) as copy:
            is_whole = int(copy.execute("PRAGMA user_version").fetchone()[0]) == before
        if is_whole:  # else another process has begun, and has a copy of its own
            part.replace(target)
    except (ModelSearchError, OSError) as error:
        raise CatalogFaultError(
            f"{path} is of an older Model Search and is copied before it is brought up to date, which failed: {error}"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    for old in path.parent.glob(f"{_plain(path.stem)} {BACKUP} *{path.suffix}"):
        if old != target:
            old.unlink(missing_ok=True)


def _plain(name: str) -> str:
    """A name in which a pattern's letters stand for themselves."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
