"""What a catalog asks of a database: SQLite's file (`faults`), or a PostgreSQL server (`postgres`).

Statements are SQLite's, with `?` for values; `dialect` says them to PostgreSQL. What differs in more than words has a
method here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol


class Schema(Protocol):
    """What a step of the schema does its work with."""

    def execute(self, sql: str, /) -> object: ...


class Rows(Protocol):
    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Every method raises CatalogFaultError with the way out where the database cannot do its part."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object: ...

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Of each table, in their order."""
        ...

    def stream(self, sql: str, /) -> Iterator[Any]:
        """The rows of a query, while a transaction is open, without holding them all."""
        ...

    def begin(self, *, again: bool = True) -> None:
        """Until the end of the transaction nobody else writes. `again`: what was written is kept, to be written once
        more where the connection is lost; else the transaction is lost with it."""
        ...

    def begin_reading(self) -> None:
        """Until the end of the transaction what is read is of one moment."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def tell(self, keys: Iterable[str]) -> None:
        """Inside a transaction: whoever listens hears what was changed once it is committed."""
        ...

    def version(self) -> int:
        """Changes whenever another connection has written."""
        ...

    def close(self) -> None: ...
