"""The one loop of the process: lent to others, and new after a fork."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from gptbuilder.gateway import chat, network
from gptbuilder.gateway.types import ChatRequest, ModelEntry, UserMessage
from tests.upstream import Hang, ScriptedUpstream

HELLO = ChatRequest((UserMessage("Say hello"),))


def test_coroutines_of_others_run_on_the_same_loop() -> None:
    async def where() -> tuple[asyncio.AbstractEventLoop, str]:
        return asyncio.get_running_loop(), threading.current_thread().name

    loop, thread = network.run_coroutine(where()).result(10)

    assert loop is network.loop()
    assert thread == "gateway-network"


def test_streams_share_one_thread(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.default = Hang(after=1)
    streams = [chat.stream(entry, HELLO) for _ in range(20)]
    for stream in streams:
        next(stream)

    names = [thread.name for thread in threading.enumerate()]

    assert names.count("gateway-network") == 1
    for stream in streams:
        stream.close()
    assert upstream.wait_for_open_connections(0)


def test_one_tick_serves_all_who_wait_and_survives_those_who_leave() -> None:
    async def wait() -> int:
        net = network.network()
        waiting = [asyncio.create_task(net.tick()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        return sum(result is None for result in await asyncio.gather(*waiting, return_exceptions=True))

    assert network.run_coroutine(wait()).result(10) == 2


# Python 3.12 and later warn of what is tested here.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_gets_a_loop_of_its_own(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang(after=1))
    stream = chat.stream(entry, HELLO)
    next(stream)
    readable, writable = os.pipe()

    child = os.fork()
    if child == 0:
        try:
            os.write(writable, chat.complete(entry, HELLO).text.encode())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)

    assert said == "Hello from the scripted model."
    assert upstream.open_connections == 1
    stream.close()
    assert upstream.wait_for_open_connections(0)


def test_the_more_streams_wait_the_rarer_is_a_tick_but_never_too_rare() -> None:
    net = network.Network()

    async def pauses() -> list[float]:
        found = []
        for streams in (1, 20, 500, 1):
            await asyncio.gather(*(net.tick() for _ in range(streams)))
            found.append(net.pause_seconds)
        return found

    alone, few, many, alone_again = asyncio.run_coroutine_threadsafe(pauses(), net.loop).result(10)
    net.stop()

    assert network.TICK_SECONDS == alone == alone_again < few < many == network.TICK_MOST_SECONDS
