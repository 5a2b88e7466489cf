"""Which request, and which run, a log line belongs to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_id: ContextVar[str] = ContextVar("run_id", default="")


class IdsFilter(logging.Filter):
    """Adds `request_id` and `run_id` to every record; empty outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.run_id = run_id.get()
        return True


@contextmanager
def bind_run(identifier: str) -> Iterator[None]:
    """Log lines inside belong to this run. A worker wraps its whole task in it."""
    token = run_id.set(identifier)
    try:
        yield
    finally:
        run_id.reset(token)
