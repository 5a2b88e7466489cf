"""The database backend that settings.DATABASES names.

A request borrows a connection a few times, so what a loan costs counts: Django's own pool asks the server each time
whether it is still there, and sets again what the connection has.
"""

from __future__ import annotations

import select
from datetime import UTC
from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import adapters
from psycopg.abc import AdaptContext
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool

# The stubs leave out most of it.
_DatabaseWrapper: Any = base.DatabaseWrapper


# The driver's own, in C where it is installed with it.
_TIMESTAMPTZ = adapters.types["timestamptz"].oid
_load_time: Any = adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)


class TimeLoader(TimestamptzLoader):
    """Times as the driver reads them from a connection that speaks UTC. Django's way is ten times slower, and a page
    reads hundreds."""

    timezone = UTC

    def __new__(cls, oid: int, context: AdaptContext | None = None) -> Any:
        return _load_time(oid, context)


class DatabaseWrapper(_DatabaseWrapper):  # type: ignore[misc]
    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone == UTC:
            parameters["context"] = AdaptersMap(parameters["context"])
            parameters["context"].register_loader("timestamptz", TimeLoader)
        return parameters

    @property
    def pool(self) -> Any:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            pool = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=require_open,
                **options,
            )
            # Another thread may have been first; the pool that loses was never opened.
            self._connection_pools.setdefault(self.alias, pool)
        return self._connection_pools[self.alias]

    def _set_autocommit(self, autocommit: bool) -> None:
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)


def require_open(connection: Any) -> None:
    """Raises OperationalError when the server has closed a connection of the pool.

    Costs one system call: only a connection on which something has arrived, while nobody used it, is asked. A server
    that vanished without a word is found by the query that follows.
    """
    polled = select.poll()
    polled.register(connection.fileno(), select.POLLIN)
    if polled.poll(0):
        ConnectionPool.check_connection(connection)
