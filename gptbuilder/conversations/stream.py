"""The events of a run on their way to the page: a Redis stream that is kept for an hour, and a channel.

`publish` is called from the threads of a worker; one flusher per process sends everything that gathered.
PostgreSQL is the truth: what is lost here costs a page its live text, never an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import redis.asyncio
from django.conf import settings
from redis.exceptions import NoScriptError, RedisError

from gptbuilder.gateway import network

log = logging.getLogger(__name__)

Kind = Literal["delta", "step", "changed", "restart", "paused", "done"]

KEPT_SECONDS = 3600
FLUSH_SECONDS = 0.045
RETRY_SECONDS = 0.5
# What may wait for a Redis that is away; beyond it the oldest events are dropped.
WAITING_MOST = 100_000

# Event n of attempt a has the id `a * EVENTS_MOST + n`. Redis takes ids only in ascending order: so an event that is
# sent twice stands there once, and an attempt that was superseded adds nothing.
EVENTS_MOST = 10_000_000
APPEND = """
for i = 2, #ARGV, 2 do
  local id = ARGV[i] .. '-0'
  local added = redis.pcall('XADD', KEYS[1], id, 'event', ARGV[i + 1])
  if type(added) == 'string' then redis.call('PUBLISH', KEYS[1], id .. ' ' .. ARGV[i + 1]) end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


@dataclass(frozen=True)
class Event:
    """One event of a run. `id` is the stream's id of it, `number-0`."""

    id: str
    kind: str
    data: str

    @classmethod
    def parse(cls, id: str, line: str) -> Event:
        kind, _, data = line.partition(" ")
        return cls(id, kind, data)


def key(run_id: str) -> str:
    return f"run:{run_id}"


def publish(run_id: str, attempt: int, kind: Kind, data: dict[str, Any], *, at_once: bool = False) -> None:
    """Add an event to the run's stream; comes back at once. `at_once` does not wait for company.

    Nothing is added when a later attempt has written already.
    """
    line = f"{kind} {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}"
    _flusher().add(run_id, attempt, line, at_once=at_once, is_last=kind in ("paused", "done"))


class _Flusher:
    """Gathers events of all runs of this process and sends them in one pipeline every FLUSH_SECONDS."""

    def __init__(self) -> None:
        # The stream's key, the event's number, the event.
        self._waiting: deque[tuple[str, int, str]] = deque(maxlen=WAITING_MOST)
        self._numbers: dict[tuple[str, int], int] = {}
        self._loop = network.loop()
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._awake = False
        self._redis = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=5)
        self._script = ""
        # Held here, because an event loop forgets tasks that nobody else holds.
        self._running = network.run_coroutine(self._run())

    def add(self, run_id: str, attempt: int, line: str, *, at_once: bool, is_last: bool) -> None:
        number = self._numbers[run_id, attempt] = self._numbers.get((run_id, attempt), 0) + 1
        self._waiting.append((key(run_id), attempt * EVENTS_MOST + number, line))
        if is_last:
            del self._numbers[run_id, attempt]
        if at_once:
            self._loop.call_soon_threadsafe(self._hurry)
        elif not self._awake:
            self._awake = True
            self._loop.call_soon_threadsafe(self._wake.set)

    def _hurry(self) -> None:
        self._wake.set()
        self._urgent.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), FLUSH_SECONDS)
            self._urgent.clear()
            self._wake.clear()
            self._awake = False
            await self._flush()

    async def _flush(self) -> None:
        batch: dict[str, list[str | int]] = {}
        taken = []
        while self._waiting:
            stream, number, line = item = self._waiting.popleft()
            taken.append(item)
            batch.setdefault(stream, []).extend((number, line))
        if not batch:
            return
        try:
            await self._send(batch)
        except NoScriptError:
            # A Redis that was started anew has forgotten it, and so has done nothing of the batch.
            self._waiting.extendleft(reversed(taken))
            self._script = ""
            self._wake.set()
        except (RedisError, OSError):
            log.warning("events wait for Redis", extra={"events": len(taken)})
            self._waiting.extendleft(reversed(taken))
            await asyncio.sleep(RETRY_SECONDS)
            self._wake.set()

    async def _send(self, batch: dict[str, list[str | int]]) -> None:
        # By its digest: redis-py's own scripts ask in every pipeline whether the server knows them.
        self._script = self._script or await self._redis.script_load(APPEND)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for stream, numbered in batch.items():
                pipeline.evalsha(self._script, 1, stream, KEPT_SECONDS, *numbered)
            await pipeline.execute()


_lock = threading.Lock()
_flushers: dict[int, _Flusher] = {}


def _flusher() -> _Flusher:
    """The flusher of this process; made anew after a fork, with the network loop it runs on."""
    loop_id = id(network.loop())
    flusher = _flushers.get(loop_id)
    if flusher is None:
        with _lock:
            flusher = _flushers.get(loop_id)
            if flusher is None:
                flusher = _flushers[loop_id] = _Flusher()
    return flusher
