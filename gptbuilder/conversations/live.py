"""The runs that this worker process is executing: their heartbeat, their stop, their release at shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import redis
import redis.asyncio
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from redis.exceptions import RedisError

from gptbuilder.conversations import stream
from gptbuilder.conversations.models.run import Run
from gptbuilder.gateway import network

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 4.0
STOP_CHANNEL = "runs:stop"


@dataclass
class Hold:
    """One attempt at a run, held by this process. `close` ends whatever it is waiting for.

    `ended` says why it should end: "" (go on), "cancelled" (the person's wish), "superseded" (another attempt
    has it now), "released" (this worker is going away).
    """

    run_id: str
    attempt: int
    ended: str = ""
    _closers: list[Callable[[], None]] = field(default_factory=list)

    def on_end(self, close: Callable[[], None]) -> None:
        self._closers.append(close)
        if self.ended:
            close()

    def end(self, why: str) -> None:
        if not self.ended:
            self.ended = why
            for close in self._closers:
                close()


_holds: dict[str, Hold] = {}
_lock = threading.Lock()
# What listens for stops; an event loop forgets tasks that nobody else holds.
_listener: Future[None] | None = None


@contextlib.contextmanager
def holding(run_id: str, attempt: int) -> Iterator[Hold]:
    """Keep the run's heart beating while the body executes it."""
    hold = Hold(run_id, attempt)
    with _lock:
        _holds[run_id] = hold
    _watch()
    try:
        yield hold
    finally:
        with _lock:
            if _holds.get(run_id) is hold:
                del _holds[run_id]


def ask_to_stop(run_id: str) -> None:
    """Tell the worker that holds the run. It also finds out by its next heartbeat, should Redis be away."""
    with (
        contextlib.suppress(RedisError, OSError),
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client,
    ):
        client.publish(STOP_CHANNEL, run_id)


def announce_end(run: Run) -> None:
    """Tell the pages that the run has ended. They read how from the database."""
    stream.publish(run.pk, run.attempt + 1, "done", {}, at_once=True)


def release_all() -> list[str]:
    """Put every run of this process back to the queue; for a worker that is told to go. Gives their ids."""
    with _lock:
        holds = list(_holds.values())
    released = []
    for hold in holds:
        if (
            Run.objects.held(hold.run_id, hold.attempt)
            .filter(status=Run.Status.IN_PROGRESS)
            .update(status=Run.Status.QUEUED, heartbeat_at=timezone.now())
        ):
            released.append(hold.run_id)
        hold.end("released")
    return released


def held_count() -> int:
    return len(_holds)


def beat() -> None:
    """One heartbeat for all runs of this process, and a look at what became of them."""
    with _lock:
        holds = list(_holds.values())
    if not holds:
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_run SET heartbeat_at = %s FROM unnest(%s::text[], %s::int[]) AS held(id, attempt) "
            "WHERE conversations_run.id = held.id AND conversations_run.attempt = held.attempt "
            "AND status IN ('in_progress', 'cancelling') RETURNING conversations_run.id, status",
            [now, [hold.run_id for hold in holds], [hold.attempt for hold in holds]],
        )
        states = dict(cursor.fetchall())
    for hold in holds:
        if hold.run_id not in states:
            hold.end("superseded")
        elif states[hold.run_id] == Run.Status.CANCELLING:
            hold.end("cancelled")


def _watch() -> None:
    """Start the heartbeat and the stop listener of this process, once."""
    global _listener
    with _lock:
        if _listener is None:
            _listener = network.run_coroutine(_listen_for_stops())
            threading.Thread(target=_beat_forever, name="heartbeat", daemon=True).start()


def _beat_forever() -> None:
    pause = threading.Event()
    while not pause.wait(HEARTBEAT_SECONDS):
        try:
            beat()
        except DatabaseError:
            log.warning("heartbeat missed, the database is away")
        finally:
            connection.close()


async def _listen_for_stops() -> None:
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(STOP_CHANNEL)
                async for message in pubsub.listen():
                    hold = _holds.get(message["data"])
                    if hold:
                        hold.end("cancelled")
        except (RedisError, OSError):
            await asyncio.sleep(stream.RETRY_SECONDS)
