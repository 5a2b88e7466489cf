"""The process's one event loop: a uvloop thread that does all network input and output of the gateway.

It starts with the first use, and again after a fork: a child never touches its parent's loop. Other
kernel-side plumbing that wants a loop (flushers, listeners) borrows this one by `run_coroutine`.
Nothing that blocks may run on it.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import aiohttp
import httpx
import uvloop
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

# A consumer thread is woken at most once per tick and stream: about twenty times a second, and the more streams there
# are, the less often, for each waking costs the same however much it brings.
TICK_SECONDS = 0.045
TICK_SECONDS_PER_STREAM = 0.0015
TICK_MOST_SECONDS = 0.12
KEEP_ALIVE_SECONDS = 60
STOP_SECONDS = 2
# The extension of an httpx response that gives the asyncio transport below it, or None when all has been read.
CONNECTION = "gptbuilder.connection"

Result = TypeVar("Result")


class Network:
    """An event loop in its own thread, the HTTP client that lives on it, and the tick all streams share."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.client = _new_client()
        self._waiting: list[asyncio.Future[None]] = []
        self.pause_seconds = TICK_SECONDS
        self._thread = threading.Thread(target=self._run, name="gateway-network", daemon=True)
        self._thread.start()

    async def tick(self) -> None:
        """Wait for the next tick. One timer serves every waiter, and none runs while nobody waits."""
        if not self._waiting:
            self.loop.call_later(self.pause_seconds, self._wake)
        waiter = self.loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def stop(self) -> None:
        """End the thread and whatever runs on it. For the end of the process only."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._wind_down(), self.loop).result(STOP_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP_SECONDS)

    async def _wind_down(self) -> None:
        work = asyncio.all_tasks() - {asyncio.current_task()}
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await self.client.aclose()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.pause_seconds = min(TICK_SECONDS + TICK_SECONDS_PER_STREAM * (len(waiting) - 1), TICK_MOST_SECONDS)
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


def network() -> Network:
    """This process's network, started if need be. Any thread may ask."""
    global _network
    if _network is None:
        with _starting:
            if _network is None:
                _network = Network()
    return _network


def loop() -> asyncio.AbstractEventLoop:
    return network().loop


def run_coroutine(coroutine: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
    """Run a coroutine on the loop, from any other thread. Cancelling the future cancels the coroutine."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop())


class _Transport(AiohttpTransport):
    """Says of an answer what it is read from, as long as it is read."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        answer = cast("AiohttpResponseStream", response.stream)._aiohttp_response
        response.extensions[CONNECTION] = lambda: answer.connection and answer.connection.transport
        return response


def _new_client() -> httpx.AsyncClient:
    # aiohttp's session must be made on the loop, so the transport is given a factory. No limit on
    # connections: a worker holds hundreds of streams, and queueing here would look like a slow model.
    def new_session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0, ssl=ssl_context, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=KEEP_ALIVE_SECONDS
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    ssl_context = httpx.create_ssl_context(trust_env=False)
    transport = _Transport(client=new_session, verify=ssl_context, trust_env=False)
    return httpx.AsyncClient(transport=transport, trust_env=False)


def _forget_after_fork() -> None:
    """The parent's thread does not exist here, and its lock may be held for ever."""
    global _network, _starting
    if _network is not None:
        # Kept, not closed: its file descriptors and connections still belong to the parent.
        _abandoned.append(_network)
    _network = None
    _starting = threading.Lock()


def _stop_at_exit() -> None:
    if _network is not None:
        _network.stop()


_network: Network | None = None
_starting = threading.Lock()
_abandoned: list[Network] = []

os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(_stop_at_exit)
