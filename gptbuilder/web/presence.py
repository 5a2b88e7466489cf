"""Which processes of this installation live: each leaves a line in Redis every few seconds until it ends.

For the operator's eyes only. Nothing is decided by it: runs recover by their own heartbeat in the database.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from gptbuilder.web.redis_client import connection

KEY = "processes"
ERRORS_KEY = "errors"
EVERY_SECONDS = 5.0
# Three lines missed, and one that was late.
GONE_SECONDS = 20.0
FORGOTTEN_SECONDS = 3600.0
CLOCK = "clock"
WEB = "web"
RUNS = "runs"


@dataclass(frozen=True)
class Process:
    """`kind` is what it does (web, runs, …), `name` where it runs. `work` counts what it has in hand: open streams of
    a web process, answers of a worker. `seen_at` is a Unix time."""

    kind: str
    name: str
    seen_at: float
    memory_bytes: int
    work: int

    def is_alive(self, now: float) -> bool:
        return now - self.seen_at < GONE_SECONDS


def note(kind: str, work: int = 0) -> None:
    """Say that this process lives. Costs one command; a Redis that is away is no trouble of the caller's."""
    _write(kind, f"{platform.node()}:{os.getpid()}", _memory_bytes(), work)


def note_clock() -> None:
    """Say that the clock ticked: called by what it sends every few seconds, wherever that runs."""
    _write(CLOCK, "", 0, 0)


def note_error() -> None:
    """Count one line logged as an error, of all processes together."""
    try:
        connection().incr(ERRORS_KEY)
    except (RedisError, OSError):
        return


async def keep(kind: str, work: Callable[[], int]) -> None:
    """Say again and again that this process lives, until cancelled."""
    while True:
        await asyncio.to_thread(note, kind, work())
        await asyncio.sleep(EVERY_SECONDS)


def processes(now: float) -> list[Process]:
    """Those that live, and the clock whenever it ticked last; the oldest lines are thrown away. Raises RedisError."""
    lines: Any = connection().hgetall(KEY)
    found = [_parse(name, line) for name, line in lines.items()]
    if forgotten := [process for process in found if now - process.seen_at > FORGOTTEN_SECONDS]:
        connection().hdel(KEY, *(f"{process.kind}@{process.name}" for process in forgotten))
    return sorted(
        (process for process in found if process.is_alive(now) or process.kind == CLOCK),
        key=lambda process: (process.kind, process.name),
    )


def errors() -> int:
    """Lines logged as errors since Redis began to count. Raises RedisError."""
    counted: Any = connection().get(ERRORS_KEY)
    return int(counted or 0)


def queued(names: Iterable[str]) -> dict[str, int]:
    """How many tasks wait in each of the queues. Raises RedisError."""
    with connection().pipeline(transaction=False) as pipeline:
        waiting = list(names)
        for name in waiting:
            pipeline.llen(name)
        return dict(zip(waiting, pipeline.execute(), strict=True))


class ErrorCounter(logging.Handler):
    """A log handler that counts what is logged as an error."""

    def emit(self, record: logging.LogRecord) -> None:
        note_error()


def _write(kind: str, name: str, memory_bytes: int, work: int) -> None:
    line = json.dumps([round(time.time(), 1), memory_bytes, work])
    try:
        connection().hset(KEY, f"{kind}@{name}", line)
    except (RedisError, OSError):
        return


def _parse(name: str, line: str) -> Process:
    kind, _, where = name.partition("@")
    seen_at, memory_bytes, work = json.loads(line)
    return Process(kind, where, seen_at, memory_bytes, work)


def _memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
