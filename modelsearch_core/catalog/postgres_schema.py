"""Opens a catalog on a server: the same numbered steps as a file's, all that are missing in one transaction."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing

from ..errors import CatalogFaultError, EmptyCatalogError, ModelSearchError
from ..places import DatabaseServer
from .dialect import ROWID, Table, moves_rows, schema_statement
from .migrations import STEPS
from .postgres import PostgresConnection

INDEX = "modelsearch index FOLDER"
VERSION = "CREATE TABLE schema_version (number BIGINT NOT NULL)"
COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
)
KEYS = (
    "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary"
)


def connect(server: DatabaseServer, *, read_only: bool, name: str) -> PostgresConnection:
    """A connection whose schema is the newest."""
    connection = PostgresConnection(server, read_only=read_only, name=name)
    try:
        version = _checked_version(connection)
        if read_only and version == 0:
            raise EmptyCatalogError(f"there is no catalog at {server} yet", command=INDEX)
        if version < len(STEPS):
            _bring_up_to_date(connection, server, name, read_only=read_only)
        connection.tables.update(_tables(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def is_there(server: DatabaseServer) -> bool:
    """Whether anybody has made a catalog in that database."""
    with closing(PostgresConnection(server, read_only=True, name="modelsearch")) as connection:
        return _version(connection) > 0


class _Schema:
    """What a step sees of a connection."""

    def __init__(self, connection: PostgresConnection, *, is_new: bool) -> None:
        self._connection, self._is_new = connection, is_new

    def execute(self, sql: str) -> None:
        if not (self._is_new and moves_rows(sql)):
            self._connection.run(schema_statement(sql))


def _version(connection: PostgresConnection) -> int:
    """0 where nothing is there."""
    if connection.run("SELECT to_regclass('schema_version')").fetchone()[0] is None:  # pyright: ignore[reportOptionalSubscript]
        return 0
    row = connection.run("SELECT number FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def _checked_version(connection: PostgresConnection) -> int:
    version = _version(connection)
    if version > len(STEPS):
        raise ModelSearchError(
            f"{connection.server} was written by a newer Model Search (schema {version}, this one knows {len(STEPS)}); "
            "update this one"
        )
    return version


def _bring_up_to_date(connection: PostgresConnection, server: DatabaseServer, name: str, *, read_only: bool) -> None:
    if not read_only:
        _migrate(connection)
        return
    try:
        connect(server, read_only=False, name=name).close()
    except CatalogFaultError as error:
        raise ModelSearchError(
            f"{server} is of an older Model Search and this user may not write to it ({error}); have whoever indexes "
            "update it"
        ) from error


def _migrate(connection: PostgresConnection) -> None:
    connection.begin()
    try:
        version = _checked_version(connection)  # another process may have been first
        if version == 0:
            connection.run(VERSION)
            connection.run("INSERT INTO schema_version VALUES (0)")
        schema = _Schema(connection, is_new=version == 0)
        for step in STEPS[version:]:
            step(schema)
        connection.run("UPDATE schema_version SET number = %s", (len(STEPS),))
        connection.commit()
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


def _tables(connection: PostgresConnection) -> dict[str, Table]:
    columns: dict[str, list[str]] = defaultdict(list)
    keys: dict[str, list[str]] = defaultdict(list)
    for table, column in connection.run(COLUMNS):
        columns[table] += [column] if column != ROWID else []
    for table, column in connection.run(KEYS):
        keys[table].append(column)
    return {table: Table(own, keys[table]) for table, own in columns.items()}
