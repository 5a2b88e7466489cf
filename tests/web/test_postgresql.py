"""The pool of the database backend."""

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from gptbuilder.web.postgresql.base import require_open


@pytest.fixture
def pool(db) -> ConnectionPool:
    parameters = {**connection.get_connection_params(), "autocommit": True}
    with ConnectionPool(kwargs=parameters, min_size=1, max_size=1, check=require_open, timeout=10) as pool:
        yield pool


def test_a_connection_that_is_open_is_lent_again(pool):
    with pool.connection() as first:
        process = first.info.backend_pid

    with pool.connection() as second:
        assert second.info.backend_pid == process


def test_a_connection_that_the_server_closed_is_replaced(pool):
    with pool.connection() as first:
        process = first.info.backend_pid
    with psycopg.connect(**connection.get_connection_params()) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

    with pool.connection() as second:
        assert second.execute("SELECT 1").fetchone() == (1,)
        assert second.info.backend_pid != process


def test_a_notice_while_nobody_used_it_does_no_harm(pool):
    with pool.connection() as first:
        process = first.info.backend_pid
        first.execute("LISTEN something")
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("NOTIFY something")

    with pool.connection() as second:
        assert second.info.backend_pid == process
