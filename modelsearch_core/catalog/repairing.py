"""A damaged catalog's rows, as far as they can be read, in a new file; SQLite's own `.recover` is not in Python.

Each table is read from its first row on and from its last row back, until a damaged page is met; what lies between is
asked for row by row. Rows that can be read but not understood are left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import CatalogFaultError, EmptyCatalogError
from ..model_files.written import file_from_json
from . import records
from .catalog import Catalog
from .packing import Packing

MOST_SINGLE_ROWS = 1_000_000  # asked for one by one between the damaged pages of a table
Row = tuple[Any, ...]
_UNDERSTOOD: dict[str, Callable[[dict[str, Any]], object]] = {
    "file": lambda row: file_from_json(row["record"]),
    "probe_set": lambda row: records.probe_set_from_json(row["record"]),
    "sample": lambda row: row["webp"][:4] in (b"RIFF", b"") or _refuse(),
    "specification": lambda row: (len(row["mean"]) % 4 == 0 and _are_rows(row)) or _refuse(),
}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What was done. `saved` and `lost` are rows by table; nobody knows how many rows of an unreadable page there were,
    so `lost` are those that another part of the file still speaks of. Without `damaged` nothing was wrong."""

    saved: dict[str, int]
    lost: dict[str, int]
    damaged: Path | None  # where the damaged file is kept

    @property
    def was_damaged(self) -> bool:
        return self.damaged is not None


def repair(path: Path) -> Repair:
    """Puts what can be read of the catalog at `path` in its place, and the damaged file beside it. Raises
    CatalogFaultError where nothing can be read, EmptyCatalogError where there is no file."""
    if not path.is_file():
        raise EmptyCatalogError(f"there is no catalog at {path}; name it with --catalog")
    with closing(_opened(path)) as old:
        if is_sound(old):
            return Repair(saved=_counts(old), lost={}, damaged=None)
        new = path.with_name(f"{path.name}.repaired.part")
        new.unlink(missing_ok=True)
        try:
            saved, lost = _salvage(old, new, path)
        except BaseException:
            _remove(new)
            raise
    damaged = path.with_name(f"{path.stem} damaged {datetime.now():%Y-%m-%d %H-%M-%S}{path.suffix}")
    _move(path, damaged)
    new.replace(path)
    return Repair(saved=saved, lost=lost, damaged=damaged)


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds nothing wrong with any page or index."""
    try:
        return connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:
        return False


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _salvage(old: sqlite3.Connection, new: Path, path: Path) -> tuple[dict[str, int], dict[str, int]]:
    tables = _tables(old, path)
    with Catalog(new):
        pass  # the schema, as it is now
    saved: dict[str, int] = {}
    lost: dict[str, int] = {}
    with closing(sqlite3.connect(new)) as target, target:
        for table in [name for name in _tables(target, new) if name in tables and name != "claim"]:
            columns = [name for name in _columns(target, table) if name in _columns(old, table)]
            rows = _readable(old, table, columns)
            understood = [row for row in rows if _is_understood(table, dict(zip(columns, row, strict=True)))]
            marks = ", ".join("?" * len(columns))
            target.executemany(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", understood)
            saved[table] = len(understood)
            if gone := max(0, _known_count(old, table) - len(understood)):
                lost[table] = gone
        target.execute("PRAGMA journal_mode = DELETE")
    return saved, lost


def _tables(connection: sqlite3.Connection, path: Path) -> list[str]:
    try:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return [name for (name,) in found]
    except sqlite3.DatabaseError as error:
        raise CatalogFaultError(
            f"nothing of {path} can be read ({error}); put a copy in its place (`{path.stem} before schema …`, where "
            "there is one), or delete it and index again"
        ) from error


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _readable(connection: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Row]:
    """Rows from both ends, then those between the damaged pages."""
    wanted = f"SELECT rowid, {', '.join(columns)} FROM {table} NOT INDEXED"
    first, last = 0, 0
    for rowid, *row in _until_damage(connection, f"{wanted} ORDER BY rowid"):
        first = rowid
        yield tuple(row)
    for rowid, *row in _until_damage(connection, f"{wanted} WHERE rowid > {first} ORDER BY rowid DESC"):
        last = rowid
        yield tuple(row)
    for rowid in range(first + 1, min(last or _last_rowid(connection, table) + 1, first + MOST_SINGLE_ROWS)):
        for _, *row in _until_damage(connection, f"{wanted} WHERE rowid = {rowid}"):
            yield tuple(row)


def _until_damage(connection: sqlite3.Connection, statement: str) -> Iterator[Row]:
    try:
        yield from connection.execute(statement)
    except sqlite3.DatabaseError:
        return


def _last_rowid(connection: sqlite3.Connection, table: str) -> int:
    try:
        return int(connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        return 0


def _known_count(connection: sqlite3.Connection, table: str) -> int:
    """How many rows there were, by whichever of the table and its index can be counted."""
    counts = [0]
    for hint in ("", " NOT INDEXED"):
        for row in _until_damage(connection, f"SELECT count(*) FROM {table}{hint}"):
            counts.append(int(row[0]))
    return max(counts)


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [name for name in _tables(connection, Path()) if name != "claim"]
    return {name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in names}


def _is_understood(table: str, row: dict[str, Any]) -> bool:
    try:
        _UNDERSTOOD.get(table, lambda _: None)(row)
    except (ValueError, TypeError, KeyError, ZeroDivisionError):  # what damage makes of a row
        return False
    return True


def _are_rows(row: dict[str, Any]) -> bool:
    return Packing(row.get("packing", Packing.HALF)).fits(len(row["z"]), row["samples"])


def _refuse() -> None:
    raise ValueError


def _move(path: Path, target: Path) -> None:
    """The file with its journal, so that nothing of it is taken for the new one's."""
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.replace(target.with_name(target.name + suffix))
    path.replace(target)


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)
