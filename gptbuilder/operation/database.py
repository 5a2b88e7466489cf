"""All rows of the database as text, and back: PostgreSQL's COPY, over the connection that Django has anyway.

No other program is needed, and rows go between versions of PostgreSQL. Tables, indexes and functions are not stored:
migrations make them, up to exactly those the rows were written under.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, LiteralString

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from psycopg import sql

# Rows are gathered to members of this size.
PIECE_BYTES = 8 << 20

TABLES = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.oid ORDER BY c.relname
"""
SEQUENCES = """
SELECT sequencename::text, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences
WHERE schemaname = current_schema()
"""
# What migrations made besides tables, and no extension.
ROUTINES = """
SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


class TooNew(Exception):
    """The rows were written under migrations that this version does not have."""


def tables() -> dict[str, list[str]]:
    """The tables of the current schema, each with the columns that hold data of their own."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return dict(cursor.fetchall())


def sequences() -> dict[str, tuple[int, bool]]:
    """The last value of each sequence, and whether it was given out."""
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        return {name: (value, used) for name, value, used in cursor.fetchall()}


def size_bytes() -> int:
    """About how large the rows are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(pg_table_size(oid)), 0)::bigint FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        )
        return int(cursor.fetchone()[0])


def read_one_moment() -> None:
    """The first statement of a transaction: from here on it sees the database as it is now, whatever others write."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def read(table: str, columns: list[str]) -> Iterator[tuple[bytes, int]]:
    """Text of the rows and their number, in pieces of whole rows."""
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), _names(columns))
    gathered, size, rows = [], 0, 0
    with connection.cursor() as cursor, _native(cursor).copy(statement) as copy:
        # psycopg gives a row at a time.
        for row in copy:
            gathered.append(bytes(row))
            size += len(row)
            rows += 1
            if size >= PIECE_BYTES:
                yield b"".join(gathered), rows
                gathered, size, rows = [], 0, 0
    if gathered:
        yield b"".join(gathered), rows


class Loader:
    """Writes the pieces of tables, each table's one after the other. Close it after the last one."""

    def __init__(self, columns: dict[str, list[str]]) -> None:
        self._columns = columns
        self._table = ""
        self._cursor: Any = None
        self._context: Any = None
        self._copy: Any = None

    def write(self, table: str, content: IO[bytes], block_bytes: int) -> None:
        if table != self._table:
            self.close()
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(self._columns[table]))
            self._table, self._cursor = table, connection.cursor()
            self._context = _native(self._cursor).copy(statement)
            self._copy = self._context.__enter__()
        while block := content.read(block_bytes):
            self._copy.write(block)

    def close(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
            self._cursor.close()
        self._table, self._context = "", None


def empty(names: list[str]) -> None:
    if names:
        with connection.cursor() as cursor:
            cursor.execute(_text("TRUNCATE {}", sql.SQL(", ").join(map(sql.Identifier, names))))


def set_sequences(values: dict[str, tuple[int, bool]]) -> None:
    with connection.cursor() as cursor:
        for name, (value, used) in values.items():
            cursor.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", [name, value, used])


def has_people() -> bool:
    """Whether anybody has ever signed in here: what a new installation makes by itself does not count."""
    if "accounts_user" not in tables():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_user WHERE last_login IS NOT NULL)")
        return bool(cursor.fetchone()[0])


def applied_migrations() -> list[list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        return [list(row) for row in cursor.fetchall()]


def shape(migrations: list[list[str]]) -> None:
    """Give the database the tables of these migrations. One that has others loses all it holds and is made anew.

    Raises TooNew, and then has changed nothing.
    """
    wanted = {(app, name) for app, name in migrations}
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    # An app that is no more keeps its names in the table of migrations.
    apps = {app for app, _ in graph.nodes}
    if missing := [f"{app}.{name}" for app, name in sorted(wanted - set(graph.nodes)) if app in apps]:
        raise TooNew(missing[0])
    if set(executor.loader.applied_migrations) == wanted:
        return
    _remove_everything()
    MigrationExecutor(connection).migrate(_last_of_each_branch(wanted, graph))


def migrate() -> None:
    """On to the present."""
    call_command("migrate", interactive=False, verbosity=0)


def _last_of_each_branch(wanted: set[tuple[str, str]], graph: MigrationGraph) -> list[tuple[str, str]]:
    """The wanted migrations that no other wanted one of the same app follows: targets must not undo each other."""
    known = {key: graph.node_map[key] for key in wanted if key in graph.node_map}
    return sorted(
        key
        for key, node in known.items()
        if not any(child.key in known and child.key[0] == key[0] for child in node.children)
    )


def _remove_everything() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables():
            cursor.execute(_text("DROP TABLE IF EXISTS {} CASCADE", sql.Identifier(table)))
        cursor.execute(ROUTINES)
        for (routine,) in cursor.fetchall():
            # The name comes quoted, with its arguments.
            cursor.execute(f"DROP ROUTINE IF EXISTS {routine} CASCADE")


def _native(cursor: Any) -> Any:
    """psycopg's own cursor inside of Django's."""
    return cursor.cursor


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _text(template: LiteralString, part: sql.Composable) -> str:
    return sql.SQL(template).format(part).as_string(None)
