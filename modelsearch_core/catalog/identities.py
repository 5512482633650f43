"""Whose weights a fingerprint stands for, as far as they were read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from ..specification import Evidence
from .connection import Connection

MADE = tuple(each.value for each in Evidence if each.is_made)  # words and previews are of a file


class Identity(NamedTuple):
    """`claim` is the fingerprint of a few kilobytes; `weights` the hash of all, None where they were never read."""

    fingerprint: str
    claim: str
    weights: str | None


class Identities:
    """The tables `identity` and `weights_at` of a catalog."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def get(self, fingerprint: str) -> Identity | None:
        row = self._connection.execute(
            "SELECT fingerprint, claim, weights FROM identity WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        return Identity(*row) if row else None

    def claiming(self, claim: str) -> list[Identity]:
        """All with that claim, the first come first."""
        rows = self._connection.execute(
            "SELECT fingerprint, claim, weights FROM identity WHERE claim = ? ORDER BY rowid", (claim,)
        )
        return [Identity(*row) for row in rows]

    def put(self, identity: Identity) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT INTO identity VALUES (?, ?, ?) "
                "ON CONFLICT (fingerprint) DO UPDATE SET weights = excluded.weights",
                identity,
            )

    def is_measured(self, fingerprint: str) -> bool:
        """Whether the catalog has pictures that these weights made."""
        marks = ", ".join("?" * len(MADE))
        row = self._connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM specification WHERE fingerprint = ? AND evidence IN ({marks})) "
            "OR EXISTS (SELECT 1 FROM sample WHERE fingerprint = ? AND digest NOT LIKE 'preview:%')",
            (fingerprint, *MADE, fingerprint),
        ).fetchone()
        return bool(row[0])

    def seen_at(self, path: Path) -> tuple[str, str] | None:
        """(state, fingerprint) of what lay there last."""
        return self._connection.execute(
            "SELECT state, fingerprint FROM weights_at WHERE path = ?", (str(path),)
        ).fetchone()

    def seen_in(self, state: str) -> list[tuple[Path, str]]:
        """(path, fingerprint) of files that were in this state."""
        rows = self._connection.execute("SELECT path, fingerprint FROM weights_at WHERE state = ?", (state,))
        return [(Path(path), fingerprint) for path, fingerprint in rows]

    def never_seen(self, claim: str) -> list[tuple[Path, str]]:
        """(path, fingerprint) of files with that claim of before anything was noted of their weights."""
        rows = self._connection.execute(
            "SELECT file.path, file.fingerprint FROM file JOIN identity USING (fingerprint) "
            "WHERE identity.claim = ? AND identity.weights IS NULL "
            "AND file.path NOT IN (SELECT path FROM weights_at) ORDER BY file.path",
            (claim,),
        )
        return [(Path(path), fingerprint) for path, fingerprint in rows]

    def saw(self, path: Path, state: str, fingerprint: str) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO weights_at VALUES (?, ?, ?)", (str(path), state, fingerprint)
            )
