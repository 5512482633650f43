"""Pictures that users have made: what each file says, and which of them stand for a model.

`picture` has a row for every file that was read, so that the next look opens only what is new; `chosen_picture` says
what the samples of evidence `pictures` are of, by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from .connection import Connection

SCHEMA = """
CREATE TABLE picture (
    path TEXT PRIMARY KEY,
    state TEXT NOT NULL,            -- of the file, when it was read
    modified INTEGER NOT NULL,      -- nanoseconds since the epoch
    account TEXT                    -- JSON of what it says; NULL: it names no model, or cannot be read
);
CREATE TABLE chosen_picture (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    number INTEGER NOT NULL,        -- of the sample
    path TEXT NOT NULL,
    state TEXT NOT NULL,
    prompt TEXT NOT NULL,
    share REAL NOT NULL,            -- of the model, in a picture that several made
    PRIMARY KEY (fingerprint, digest, number)
);
CREATE INDEX chosen_picture_path ON chosen_picture (path, state);
"""


class PictureRow(NamedTuple):
    """A picture file as it was read."""

    path: str
    state: str
    modified: int
    account: str | None


class ChosenRow(NamedTuple):
    """A sample that is a user's picture."""

    number: int
    path: str
    state: str
    prompt: str
    share: float


class UserPictures:
    """The part of a catalog that holds them; `transaction` is the catalog's."""

    def __init__(self, connection: Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def known(self) -> dict[str, str]:
        """The state of each file, by path."""
        return dict(self._connection.execute("SELECT path, state FROM picture"))

    def put(self, rows: Iterable[PictureRow]) -> None:
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO picture VALUES (?, ?, ?, ?)", rows)

    def remove(self, paths: Iterable[str]) -> None:
        with self._transaction():
            self._connection.executemany("DELETE FROM picture WHERE path = ?", ((path,) for path in paths))

    def move(self, pairs: Iterable[tuple[str, str]]) -> None:
        """(from, to) of files that lie elsewhere now."""
        pairs = [(to, origin) for origin, to in pairs]
        with self._transaction():
            self._connection.executemany("DELETE FROM picture WHERE path = ?", ((to,) for to, _ in pairs))
            for table in ("picture", "chosen_picture"):
                self._connection.executemany(f"UPDATE {table} SET path = ? WHERE path = ?", pairs)

    def telling(self) -> Iterator[PictureRow]:
        """Those that name models, in the order of their paths."""
        rows = self._connection.execute(
            "SELECT path, state, modified, account FROM picture WHERE account IS NOT NULL ORDER BY path"
        )
        return map(PictureRow._make, rows)

    def counts(self) -> tuple[int, int]:
        """How many files were read, and how many name models."""
        return self._connection.execute("SELECT count(*), count(account) FROM picture").fetchone()

    def put_chosen(self, fingerprint: str, digest: str, rows: Sequence[ChosenRow]) -> None:
        with self._transaction():
            self._connection.execute(
                "DELETE FROM chosen_picture WHERE fingerprint = ? AND digest = ?", (fingerprint, digest)
            )
            self._connection.executemany(
                "INSERT INTO chosen_picture VALUES (?, ?, ?, ?, ?, ?, ?)", ((fingerprint, digest, *row) for row in rows)
            )

    def chosen(self, fingerprint: str, digest: str) -> list[ChosenRow]:
        """Of a model's evidence, in the order of the numbers."""
        rows = self._connection.execute(
            "SELECT number, path, state, prompt, share FROM chosen_picture WHERE fingerprint = ? AND digest = ? "
            "ORDER BY number",
            (fingerprint, digest),
        )
        return list(map(ChosenRow._make, rows))

    def sample_of(self, path: str, state: str) -> tuple[str, str, int] | None:
        """(fingerprint, digest, number) of a sample that was made of this file."""
        return self._connection.execute(
            "SELECT fingerprint, digest, number FROM chosen_picture WHERE path = ? AND state = ? LIMIT 1", (path, state)
        ).fetchone()
