"""A connection to a catalog on a PostgreSQL server that outlives the server's restarts.

A connection that is lost is made again, for `PATIENCE` seconds. What a transaction had written is then written once
more from its first statement; a commit that nobody confirmed may have been one, so every write is one that can be done
twice. Writers come one after another, by an advisory lock; readers wait for nobody and see what was committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import CatalogFaultError, ModelSearchError
from ..places import DatabaseServer
from .dialect import Table, translated
from .migrations import STEPS
from .postgres_faults import fault, is_absence

if TYPE_CHECKING:
    import psycopg

PATIENCE = 60.0  # seconds that a server may be away; it restarts in a few
PAUSE = 0.25
STREAMED = 100  # rows that are fetched at a time
BUSY = "30s"  # that another program may write
CHANNEL = "modelsearch"
LARGEST_NOTIFICATION = 7_900  # bytes of a notification; PostgreSQL takes fewer than 8,000
WRITERS = "pg_advisory_xact_lock(hashtext('modelsearch ' || current_schema()))"
SETTINGS = " ".join(  # a machine that fell silent is given up after a minute
    f"-c {name}={value}"
    for name, value in {
        "tcp_keepalives_idle": 30,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
        "lock_timeout": BUSY,
    }.items()
)
Result = TypeVar("Result")


class PostgresConnection:
    """`tables` are set once the schema is known to be the newest."""

    def __init__(self, server: DatabaseServer, *, read_only: bool, name: str) -> None:
        """`name`: what others see of this connection, while it lasts."""
        self.server = server
        self.tables: dict[str, Table] = {}
        self.name = name
        self._read_only = read_only
        self._lock = threading.RLock()
        self._translated: dict[str, bytes] = {}
        self._written: list[Callable[[psycopg.Connection], object]] | None = None  # by the transaction that is open
        self._is_only_once = False  # that transaction is lost with its connection
        self._news = 0
        self._raw = self._opened(patience=0)

    @property
    def in_transaction(self) -> bool:
        return self._written is not None or self._is_only_once

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        said, values = self._said(sql), _storable(parameters)
        return self._do(lambda raw: raw.execute(said, values, binary=True), is_write=_changes(sql))

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        said, rows = self._said(sql), [_storable(values) for values in parameters]

        def write(raw: psycopg.Connection) -> None:
            with raw.cursor() as cursor:
                cursor.executemany(said, rows)

        if rows:
            self._do(write, is_write=True)

    def run(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, /) -> psycopg.Cursor[Any]:
        """A statement in PostgreSQL's own words, on its own."""
        return self._do(lambda raw: raw.execute(sql.encode(), parameters), is_write=_changes(sql))

    def columns(self) -> dict[str, Sequence[str]]:
        return {name: table.columns for name, table in self.tables.items()}

    def stream(self, sql: str, /) -> Iterator[Any]:
        import psycopg

        try:
            with self._raw.cursor(name="stream") as cursor:
                cursor.itersize = STREAMED
                yield from cursor.execute(self._said(sql), binary=True)
        except psycopg.Error as error:
            raise self._in_words(error) from error

    def begin(self, *, again: bool = True) -> None:
        self._do(self._begin, is_write=False)
        self._written, self._is_only_once = [] if again else None, not again

    def begin_reading(self) -> None:
        self._do(lambda raw: raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), is_write=False)
        self._is_only_once = True

    def commit(self) -> None:
        try:
            self._do(lambda raw: raw.execute("COMMIT"), is_write=False)
        finally:
            self._end()

    def rollback(self) -> None:
        self._end()
        if not self._raw.broken and not self._raw.closed:  # else there is nothing to take back
            self._do(lambda raw: raw.execute("ROLLBACK"), is_write=False)

    def tell(self, keys: Iterable[str]) -> None:
        for payload in _payloads(keys):
            self._do(
                lambda raw, payload=payload: raw.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload)), is_write=True
            )

    def version(self) -> int:
        self.execute("SELECT 1")  # brings along what was told since
        return self._news

    def close(self) -> None:
        self._raw.close()

    def _said(self, sql: str) -> bytes:
        if sql not in self._translated:
            self._translated[sql] = translated(sql, self.tables).encode()
        return self._translated[sql]

    def _end(self) -> None:
        self._written, self._is_only_once = None, False

    def _do(self, what: Callable[[psycopg.Connection], Result], *, is_write: bool) -> Result:
        """On a connection that works; in words what cannot be."""
        import psycopg

        with self._lock:
            while True:
                try:
                    done = what(self._raw)
                except psycopg.Error as error:
                    if not self._raw.broken and not self._raw.closed:
                        raise self._in_words(error) from error
                    self._connect_again(error)
                else:
                    if is_write and self._written is not None:
                        self._written.append(what)
                    return done

    def _connect_again(self, error: psycopg.Error) -> None:
        """With the open transaction as far as it had come. What was read of a moment cannot be read again."""
        import psycopg

        if self._is_only_once:
            raise self._in_words(error) from error
        until = time.monotonic() + PATIENCE
        while True:
            self._raw = self._opened(patience=until - time.monotonic())
            self._news += 1  # whatever was told meanwhile
            try:
                if self._written is not None:
                    self._begin(self._raw)
                    for write in self._written:
                        write(self._raw)
                return
            except psycopg.Error as again:
                if not self._raw.broken and not self._raw.closed:
                    raise self._in_words(again) from again

    def _opened(self, *, patience: float) -> psycopg.Connection:
        """A server that starts or stops is waited for, one that refuses the user is not."""
        import psycopg

        until = time.monotonic() + patience
        while True:
            try:
                raw = self._connected()
                raw.execute(f"LISTEN {CHANNEL}")
                return raw
            except psycopg.Error as error:
                if not is_absence(error) or time.monotonic() > until:
                    raise self._in_words(error) from error
                time.sleep(PAUSE)

    def _connected(self) -> psycopg.Connection:
        psycopg = _driver()
        raw = psycopg.connect(
            self.server.url,
            autocommit=True,
            application_name=self.name,
            options=_options(self.server.url),
            connect_timeout=10,
            keepalives_idle=30,  # so that no firewall forgets a connection that says nothing while a model is asked
        )
        raw.add_notify_handler(partial(self._heard, raw.info.backend_pid))
        if self._read_only:
            raw.execute("SET default_transaction_read_only = on")
        return raw

    def _heard(self, own: int, notification: psycopg.Notify) -> None:
        self._news += notification.pid != own

    def _begin(self, raw: psycopg.Connection) -> None:
        raw.execute("BEGIN")
        try:
            raw.execute(f"SELECT {WRITERS}")
            if self.tables:
                self._check_schema(raw)
        except BaseException:
            if not raw.broken:
                raw.execute("ROLLBACK")
            raise

    def _check_schema(self, raw: psycopg.Connection) -> None:
        """Somebody may have started a newer version since this one began."""
        known = raw.execute("SELECT number FROM schema_version").fetchone()
        if known is None or known[0] != len(STEPS):
            raise ModelSearchError(
                f"{self.server} was brought up to date by another Model Search meanwhile (schema "
                f"{known and known[0]}, this one's is {len(STEPS)}); update this one"
            )

    def _in_words(self, error: psycopg.Error) -> Exception:
        return fault(error, self.server) or error


def _changes(sql: str) -> bool:
    return not sql.lstrip().startswith("SELECT")


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise ModelSearchError(
            "a catalog on a server needs the extra `postgres`: pip install 'psycopg[binary]'"
        ) from error
    return psycopg


def _options(url: str) -> str:
    """The address' own come last, so that they hold."""
    from psycopg.conninfo import conninfo_to_dict

    try:
        own = conninfo_to_dict(url).get("options")
    except Exception as error:  # of another class in every version
        raise CatalogFaultError(
            f"{DatabaseServer(url)} is no address of a server ({error}); write postgresql://user@host/database"
        ) from error
    return f"{SETTINGS} {own}" if own else SETTINGS


def _storable(values: Sequence[Any]) -> Sequence[Any]:
    """A text of PostgreSQL's cannot hold NUL, which a stranger's file may have among its words."""
    return [value.replace("\0", "␀") if isinstance(value, str) and "\0" in value else value for value in values]


def _payloads(keys: Iterable[str]) -> list[str]:
    """Keys with blanks between them; always one, if an empty one."""
    payloads = [""]
    for key in dict.fromkeys(keys):
        if len(payloads[-1].encode()) + len(key.encode()) > LARGEST_NOTIFICATION:
            payloads.append("")
        payloads[-1] = f"{payloads[-1]} {key}".strip()
    return payloads
