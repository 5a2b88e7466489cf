"""Following runs in a web process: one Redis subscription for all open pages of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from gptbuilder.conversations.stream import RETRY_SECONDS, Event, key

log = logging.getLogger(__name__)

# A page that reads slower than this reads the stream again instead.
QUEUE_MOST = 1000
# Always subscribed, so that the connection has something to wait for.
OWN_CHANNEL = "hub"

Queue = asyncio.Queue[Event | None]


class Hub:
    """Hands the events of a channel to everyone who follows it. Belongs to one event loop."""

    def __init__(self) -> None:
        self._redis = redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_connect_timeout=3)
        self._pubsub = self._redis.pubsub()
        self._followers: dict[str, set[Queue]] = {}
        self._subscribed: dict[str, asyncio.Event] = {}
        self._listener: asyncio.Task[None] | None = None
        # Who finds no connection makes one: two at a time would each listen to their own.
        self._speaking = asyncio.Lock()

    @property
    def open_streams(self) -> int:
        return sum(map(len, self._followers.values()))

    async def follow(
        self, run_id: str, after: str, quiet_seconds: float | None = None
    ) -> AsyncGenerator[Event | None, None]:
        """The events of a run after this stream id: first those that were, then those that come.

        Yields None when the connection to Redis was lost in between, or when nothing came for `quiet_seconds`.
        Never ends by itself.
        """
        channel = key(run_id)
        queue: Queue = asyncio.Queue(QUEUE_MOST)
        last = after
        try:
            await self._join(channel, queue)
            while True:
                async for event in self._read(channel, last):
                    last = event.id
                    yield event
                async for live in self._live(queue, quiet_seconds):
                    if live is None:
                        yield None
                    elif _position(live.id) > _position(last):
                        last = live.id
                        yield live
                # The connection was lost or this page was slow: what is missing stands in the stream.
                while not queue.empty():
                    queue.get_nowait()
                yield None
        finally:
            await self._leave(channel, queue)

    async def _live(self, queue: Queue, quiet_seconds: float | None) -> AsyncIterator[Event | None]:
        """What is put into the queue, until it says that something is missing; None when nothing was for long."""
        while True:
            try:
                async with asyncio.timeout(quiet_seconds):
                    event = await queue.get()
            except TimeoutError:
                yield None
                continue
            if event is None or queue.full():
                return
            yield event

    async def _read(self, channel: str, after: str) -> AsyncIterator[Event]:
        while True:
            try:
                entries = await self._redis.xrange(channel, min=f"({after}")
                break
            except (RedisError, OSError):
                await asyncio.sleep(RETRY_SECONDS)
        for id, fields in cast(list[tuple[str, dict[str, str]]], entries):
            yield Event.parse(id, fields["event"])

    async def _join(self, channel: str, queue: Queue) -> None:
        """Comes back when Redis has confirmed the subscription: from then on nothing can be missed."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
            await self._subscribe(OWN_CHANNEL)
        self._followers.setdefault(channel, set()).add(queue)
        if channel not in self._subscribed:
            await self._subscribe(channel)
        with contextlib.suppress(TimeoutError):
            # Without Redis the listener subscribes again later, and then everyone reads the stream anew.
            async with asyncio.timeout(5):
                await self._subscribed[channel].wait()

    async def _subscribe(self, channel: str) -> None:
        self._subscribed[channel] = asyncio.Event()
        with contextlib.suppress(RedisError, OSError):
            async with self._speaking:
                await self._pubsub.subscribe(channel)

    async def _leave(self, channel: str, queue: Queue) -> None:
        followers = self._followers.get(channel, set())
        followers.discard(queue)
        if not followers and self._followers.pop(channel, None) is not None:
            self._subscribed.pop(channel, None)
            with contextlib.suppress(RedisError, OSError):
                async with self._speaking:
                    await self._pubsub.unsubscribe(channel)

    async def _listen(self) -> None:
        while True:
            try:
                message = await self._pubsub.get_message(timeout=None) if self._pubsub.subscribed else None
                if message is None:
                    await asyncio.sleep(0 if self._pubsub.subscribed else 0.01)
                elif message["type"] == "message":
                    self._deliver(message["channel"], message["data"])
                elif message["type"] == "subscribe" and message["channel"] in self._subscribed:
                    self._subscribed[message["channel"]].set()
            except (RedisError, OSError):
                log.warning("the hub lost Redis")
                await self._subscribe_again()

    async def _subscribe_again(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                async with self._speaking:
                    await self._pubsub.aclose()  # type: ignore[no-untyped-call]
                    self._pubsub = self._redis.pubsub()
                    await self._pubsub.subscribe(OWN_CHANNEL, *self._followers)
                break
            except (RedisError, OSError):
                continue
        for followers in self._followers.values():
            for queue in followers:
                self._put(queue, None)

    def _deliver(self, channel: str, line: str) -> None:
        id, _, rest = line.partition(" ")
        event = Event.parse(id, rest)
        for queue in self._followers.get(channel, ()):
            self._put(queue, event)

    def _put(self, queue: Queue, item: Event | None) -> None:
        # A full queue tells its reader all it must know: read the stream again.
        with contextlib.suppress(asyncio.QueueFull):
            queue.put_nowait(item)


def _position(id: str) -> tuple[int, int]:
    milliseconds, _, sequence = id.partition("-")
    return int(milliseconds), int(sequence or 0)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
