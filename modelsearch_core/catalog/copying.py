"""Moves a catalog between files and servers: every table row by row in their order, all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..errors import CatalogFaultError, EmptyCatalogError, ModelSearchError
from ..places import Place, beside
from .catalog import ANSWERING, Catalog
from .connection import Connection
from .opening import connect, is_there
from .pictures import SETTING as PICTURES
from .pictures import PictureStore

LEFT_OUT = ("claim", "schema_version", "shared_file")  # of who is at work now; of one engine
AT_ONCE = 4 * 2**20  # bytes of rows that are written together
Row = Sequence[Any]
OnRows = Callable[[int], object]


def copy(source: Place, target: Place, pictures: str = "", on_rows: OnRows = lambda _: None) -> dict[str, int]:
    """How many rows there are now, by table. `pictures`: a folder's or an object store's URL that takes the pictures;
    else they are in the catalog. Raises EmptyCatalogError without a source, ModelSearchError where the target holds
    something already, or is no place for a file, and for what is no URL."""
    if pictures and "://" not in pictures:
        raise ModelSearchError(
            f"--pictures {pictures} is no URL; write {Path(pictures).absolute().as_uri()} for that folder"
        )
    if not is_there(source):
        raise EmptyCatalogError(f"there is no catalog at {source}")
    if is_there(target):
        _refuse_full(target)
    elif isinstance(target, Path) and os.path.lexists(target):  # a link to nothing, a folder, a device
        raise ModelSearchError(f"{target} is there already and is no file; name a new one")
    learned = _learned(source)
    if not isinstance(target, Path):
        counts = _copied(source, target, pictures, on_rows)
        _settle(target, beside(target).with_name("learned"), learned, pictures)
        return counts
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        counts = _copied(source, part, pictures, on_rows)
        _settle(part, target, learned, pictures)
        with closing(connect(part, read_only=False)) as new:
            new.execute("PRAGMA journal_mode = DELETE")  # so that it can be read where nobody may write
        part.replace(target)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)
    return counts


def _refuse_full(target: Place) -> None:
    with Catalog(target, read_only=True) as catalog:
        if catalog.paths() or catalog.encoders():
            raise ModelSearchError(f"{target} holds a catalog already; name a new one")


def _copied(source: Place, target: Place, pictures: str, on_rows: OnRows) -> dict[str, int]:
    moved = _moved(source, pictures)
    with closing(connect(source, read_only=True)) as old, closing(connect(target, read_only=False)) as new:
        old.begin_reading()
        new.begin(again=False)
        try:
            tables = [(table, own) for table, own in new.columns().items() if table not in LEFT_OUT]
            counts = {table: _copy_table(old, new, table, own, _each(moved, table, on_rows)) for table, own in tables}
            new.tell(())
        except BaseException:
            new.rollback()
            raise
        new.commit()
        old.rollback()
    return counts


def _copy_table(
    old: Connection, new: Connection, table: str, columns: Sequence[str], as_stored: Callable[[Row], Row]
) -> int:
    listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
    count = 0
    for rows in _in_parts(old.stream(f"SELECT {listed} FROM {table} ORDER BY rowid")):
        new.executemany(f"INSERT OR REPLACE INTO {table} ({listed}) VALUES ({marks})", map(as_stored, rows))
        count += len(rows)
    return count


def _each(moved: Callable[[Row], Row], table: str, on_rows: OnRows) -> Callable[[Row], Row]:
    def as_stored(row: Row) -> Row:
        on_rows(1)
        return moved(row) if table == "sample" else row

    return as_stored


def _moved(source: Place, pictures: str) -> Callable[[Row], Row]:
    """A row of `sample` (fingerprint, digest, number, picture) with its picture where the copy has it."""
    with Catalog(source, read_only=True) as catalog:
        url = catalog.setting(PICTURES)
    before, after = (PictureStore(each) if each else None for each in (url, pictures))

    def moved(row: Row) -> Row:
        fingerprint, digest, number, webp = row
        if not webp and before:
            webp = before.get(fingerprint, digest, number) or b""
        if after:
            after.put(fingerprint, digest, {number: webp})
            webp = b""
        return fingerprint, digest, number, webp

    return moved


def _in_parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    size = 0
    for row in rows:
        part.append(row)
        size += 64 + sum(len(value) for value in row if isinstance(value, (bytes, str)))
        if size >= AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _learned(source: Place) -> dict[str, bytes | None]:
    """What training has left in files beside the catalog, by setting; None for a file that is gone."""
    with Catalog(source, read_only=True) as catalog:
        named = {name: catalog.setting(name) for name in ANSWERING}
        files = {name: catalog.beside.parent / value for name, value in named.items() if value}
    return {name: file.read_bytes() if file.is_file() else None for name, file in files.items()}


def _settle(target: Place, named: Path, learned: dict[str, bytes | None], pictures: str) -> None:
    """What was learned goes into files whose names begin with that of `named`, beside it."""
    with Catalog(target) as catalog:
        if pictures or catalog.setting(PICTURES):
            catalog.put_setting(PICTURES, pictures)
        for name, content in learned.items():
            file = named.with_name(f"{named.stem} {name}.safetensors")
            if content is not None:
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
                except OSError as error:
                    raise CatalogFaultError(f"{file} cannot be written: {error.strerror or error}") from error
            catalog.put_setting(name, "" if content is None else file.name)
