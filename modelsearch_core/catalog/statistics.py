"""What is derived of measurements, in rows of its own, so that an answer about all models reads no sample.

`statistic`: of one specification, by name. `collection_statistic`: of all of them, by name. A row of another `version`
than is asked for counts as missing, so that a formula that changes is worked out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from .connection import Connection

Key = tuple[str, str]  # (fingerprint, digest)
AT_ONCE = 400  # keys in one statement; SQLite takes 999 parameters everywhere


class Statistics:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self.transaction = transaction

    def put(self, encoder: str, key: Key, columns: Mapping[str, tuple[int, bytes]]) -> None:
        """(version, blob) by name."""
        rows = [(*key, encoder, name, version, blob) for name, (version, blob) in columns.items()]
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO statistic VALUES (?, ?, ?, ?, ?, ?)", rows)

    def drop(self, encoder: str, key: Key, names: Sequence[str]) -> None:
        """By name, as the table's key begins with it: without, every model's rows would be looked at."""
        with self.transaction():
            self._connection.executemany(
                "DELETE FROM statistic WHERE encoder = ? AND name = ? AND fingerprint = ? AND digest = ?",
                ((encoder, name, *key) for name in names),
            )

    def all(self, encoder: str, name: str, version: int) -> dict[Key, bytes]:
        """Of every specification that has one."""
        rows = self._connection.execute(
            "SELECT fingerprint, digest, blob FROM statistic WHERE encoder = ? AND name = ? AND version = ?",
            (encoder, name, version),
        ).fetchall()
        return {(fingerprint, digest): blob for fingerprint, digest, blob in rows}

    def of(self, encoder: str, name: str, version: int, fingerprints: Sequence[str]) -> dict[Key, bytes]:
        """Of some models."""
        found: dict[Key, bytes] = {}
        for start in range(0, len(fingerprints), AT_ONCE):
            part = fingerprints[start : start + AT_ONCE]
            rows = self._connection.execute(
                "SELECT fingerprint, digest, blob FROM statistic WHERE encoder = ? AND name = ? AND version = ? "
                f"AND fingerprint IN ({','.join('?' * len(part))})",
                (encoder, name, version, *part),
            )
            found.update(((fingerprint, digest), blob) for fingerprint, digest, blob in rows)
        return found

    def keys(self, encoder: str, name: str, version: int) -> set[Key]:
        """Which specifications have one."""
        return set(
            self._connection.execute(
                "SELECT fingerprint, digest FROM statistic WHERE encoder = ? AND name = ? AND version = ?",
                (encoder, name, version),
            )
        )

    def put_of_collection(self, encoder: str, name: str, version: int, blob: bytes) -> None:
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO collection_statistic VALUES (?, ?, ?, ?)", (encoder, name, version, blob)
            )

    def of_collection(self, encoder: str, name: str, version: int) -> bytes | None:
        row = self._connection.execute(
            "SELECT blob FROM collection_statistic WHERE encoder = ? AND name = ? AND version = ?",
            (encoder, name, version),
        ).fetchone()
        return row[0] if row else None

    def has_of_collection(self, encoder: str, name: str, version: int) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM collection_statistic WHERE encoder = ? AND name = ? AND version = ?",
            (encoder, name, version),
        ).fetchone()
        return row is not None

    def drop_of_collection(self, encoder: str, name: str) -> None:
        with self.transaction():
            self._connection.execute("DELETE FROM collection_statistic WHERE encoder = ? AND name = ?", (encoder, name))
