"""What is measured of some models, rows as they are stored: from one catalog into another, bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..specification import Evidence
from .connection import Connection
from .pictures import PictureStore

Row = tuple[Any, ...]
Parcel = dict[str, tuple[tuple[str, ...], list[Row]]]  # (columns, rows) by table

_OF_MODELS = {
    "specification": "fingerprint IN ({marks}) AND evidence IN ('generated', 'reference')",
    "statistic": "fingerprint IN ({marks})",
    "sample": "fingerprint IN ({marks}) AND digest IN (SELECT digest FROM probe_set)",
}
_BESIDE = {  # what the models' rows speak of
    "recipe": "digest IN (SELECT recipe FROM probe_set WHERE digest IN ({digests}))",
    "probe_set": "digest IN ({digests})",
}
_DIGESTS = "SELECT digest FROM sample WHERE fingerprint IN ({marks})"


def packed(connection: Connection, fingerprints: Sequence[str], texts_of: str | None = None) -> Parcel:
    """What was generated from models. `texts_of`: an encoder whose features of texts come along, all that are known."""
    marks = ", ".join("?" * len(fingerprints))
    columns = connection.columns()
    parcel: Parcel = {}
    for table, where in {**_BESIDE, **_OF_MODELS}.items():
        condition = where.format(marks=marks, digests=_DIGESTS.format(marks=marks))
        parcel[table] = tuple(columns[table]), _rows(connection, table, columns[table], condition, fingerprints)
    if texts_of is not None:
        own = columns["text_feature"]
        parcel["text_feature"] = tuple(own), _rows(connection, "text_feature", own, "encoder = ?", (texts_of,))
    return parcel


def unpacked(connection: Connection, parcel: Parcel, stamp: int) -> list[str]:
    """Stores what is new of it, inside a transaction of the caller's, and says of whom. Where there are as many samples
    already, they stay."""
    columns, rows = parcel["specification"]
    key = [columns.index(name) for name in ("fingerprint", "digest", "encoder")]
    new = [row for row in rows if _has_more(connection, row, columns, key)]
    keys = {tuple(row[place] for place in key) for row in new}
    for table, (own, all_of_it) in parcel.items():
        rows = list(_of(table, own, all_of_it, new, keys, stamp))
        mode = "REPLACE" if table in _OF_MODELS else "IGNORE"
        marks = ", ".join("?" * len(own))
        connection.executemany(f"INSERT OR {mode} INTO {table} ({', '.join(own)}) VALUES ({marks})", rows)
    evidence = columns.index("evidence")
    generated = [(row[key[0]],) for row in new if row[evidence] == Evidence.GENERATED.value]
    connection.executemany("DELETE FROM failure WHERE fingerprint = ?", generated)
    return [fingerprint for fingerprint, *_ in keys]


def with_pictures(parcel: Parcel, store: PictureStore) -> Parcel:
    """With the pictures that are outside of the catalog it is of; a row whose picture is lost stays behind."""
    columns, rows = parcel["sample"]
    found = ((*row[:3], row[3] or store.get(*row[:3])) for row in rows)
    return {**parcel, "sample": (columns, [row for row in found if row[3]])}


def without_pictures(parcel: Parcel, store: PictureStore, have: Callable[[str, str], Sequence[int]]) -> Parcel:
    """For a catalog whose pictures are outside, where those go that it does not `have` yet, by number, or has lost."""
    columns, rows = parcel["sample"]
    new: dict[tuple[str, str], dict[int, bytes]] = {}
    for fingerprint, digest, number, webp in rows:
        new.setdefault((fingerprint, digest), {})[number] = webp
    for key, images in new.items():
        known = store.numbers(*key).intersection(have(*key))
        store.put(*key, {number: webp for number, webp in images.items() if number not in known})
    return {**parcel, "sample": (columns, [(*row[:3], b"") for row in rows])}


def _rows(
    connection: Connection, table: str, columns: Sequence[str], condition: str, values: Sequence[str]
) -> list[Row]:
    times = condition.count("?") // max(len(values), 1)
    return connection.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}", [*values] * times
    ).fetchall()


def _has_more(connection: Connection, row: Row, columns: Sequence[str], key: Sequence[int]) -> bool:
    known = connection.execute(
        "SELECT samples FROM specification WHERE fingerprint = ? AND digest = ? AND encoder = ?",
        [row[place] for place in key],
    ).fetchone()
    return known is None or known[0] < row[columns.index("samples")]


def _of(
    table: str, columns: Sequence[str], rows: Sequence[Row], new: Sequence[Row], keys: set[tuple[str, ...]], stamp: int
) -> Iterator[Row]:
    if table == "specification":
        place = columns.index("stamp")
        yield from ((*row[:place], stamp, *row[place + 1 :]) for row in new)
    elif table == "statistic":
        key = [columns.index(name) for name in ("fingerprint", "digest", "encoder")]
        yield from (row for row in rows if tuple(row[place] for place in key) in keys)
    else:
        yield from rows
