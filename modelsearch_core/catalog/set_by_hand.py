"""What users have said of models, by fingerprint: scanning again changes none of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from ..model_files.by_hand import ByHand
from .connection import Connection


class SetByHand:
    """The table `set_by_hand` of a catalog."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def all(self) -> dict[str, ByHand]:
        """By fingerprint."""
        rows = self._connection.execute("SELECT fingerprint, record FROM set_by_hand")
        return {fingerprint: ByHand.from_json(json.loads(record)) for fingerprint, record in rows}

    def get(self, fingerprint: str) -> ByHand:
        row = self._connection.execute(
            "SELECT record FROM set_by_hand WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        return ByHand.from_json(json.loads(row[0])) if row else ByHand()

    def put(self, fingerprint: str, values: ByHand) -> None:
        """In place of what was set before; nothing at all makes the model what its file says. A failure that the model
        had is forgotten, so that it is asked again."""
        with self._transaction():
            self._connection.execute("DELETE FROM set_by_hand WHERE fingerprint = ?", (fingerprint,))
            self._connection.execute("DELETE FROM failure WHERE fingerprint = ?", (fingerprint,))
            if values:
                record = json.dumps(values.to_json(), ensure_ascii=False)
                self._connection.execute("INSERT INTO set_by_hand VALUES (?, ?)", (fingerprint, record))
