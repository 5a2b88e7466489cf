"""Events from a worker's thread to the pages that follow a run."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing

import pytest
import redis
from django.conf import settings

from gptbuilder.conversations import hub, stream
from tests.waiting import until


def stored(run_id: str) -> list[str]:
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        return [fields["event"] for _id, fields in client.xrange(stream.key(run_id))]


def say(run_id: str, text: str, attempt: int = 1) -> None:
    stream.publish(run_id, attempt, "delta", {"text": text}, at_once=True)


async def heard(run_id: str, count: int, after: str = "0-0") -> list[stream.Event]:
    events: list[stream.Event] = []
    async with aclosing(hub.hub().follow(run_id, after, quiet_seconds=30)) as followed:
        async for event in followed:
            if event:
                events.append(event)
            if len(events) == count:
                break
    return events


def texts(events: list[stream.Event]) -> list[str]:
    return [json.loads(event.data)["text"] for event in events]


def test_who_comes_late_hears_everything_from_the_beginning():
    say("run_a", "one")
    until(lambda: stored("run_a"))
    say("run_a", "two")
    until(lambda: len(stored("run_a")) == 2)

    assert texts(asyncio.run(heard("run_a", 2))) == ["one", "two"]


def test_who_comes_back_hears_only_what_is_new():
    say("run_b", "one")
    until(lambda: stored("run_b"))
    first = asyncio.run(heard("run_b", 1))
    say("run_b", "two")
    until(lambda: len(stored("run_b")) == 2)

    assert texts(asyncio.run(heard("run_b", 1, after=first[0].id))) == ["two"]


def test_several_pages_hear_the_same_while_it_happens():
    async def scene() -> list[list[stream.Event]]:
        pages = [asyncio.create_task(heard("run_c", 3)) for _ in range(3)]
        await asyncio.sleep(0)
        for text in ("one", "two", "three"):
            await asyncio.to_thread(say, "run_c", text)
        return await asyncio.gather(*pages)

    assert [texts(events) for events in asyncio.run(scene())] == [["one", "two", "three"]] * 3


def test_pages_that_open_at_the_same_moment_listen_to_one_connection():
    run_ids = [f"run_same_{number}" for number in range(10)]

    async def scene() -> int:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            before = len(client.client_list(_type="pubsub"))
            pages = [asyncio.create_task(heard(run_id, 1)) for run_id in run_ids]
            while hub.hub().open_streams < len(pages):
                await asyncio.sleep(0)
            await asyncio.wait_for(asyncio.gather(*(told.wait() for told in hub.hub()._subscribed.values())), 10)
            listening = len(client.client_list(_type="pubsub")) - before
        for run_id in run_ids:
            say(run_id, "one")
        await asyncio.gather(*pages)
        return listening

    assert asyncio.run(scene()) == 1


def test_an_attempt_that_was_superseded_adds_nothing():
    say("run_d", "old", attempt=1)
    until(lambda: stored("run_d"))
    say("run_d", "new", attempt=2)
    until(lambda: len(stored("run_d")) == 2)
    say("run_d", "from the dead", attempt=1)
    say("run_d", "newer", attempt=2)

    until(lambda: len(stored("run_d")) == 3)
    assert "dead" not in " ".join(stored("run_d"))


def test_a_batch_that_is_sent_again_stands_there_once():
    say("run_e", "one")
    until(lambda: stored("run_e"))
    flusher = stream._flusher()

    flusher._waiting.append((stream.key("run_e"), stream.EVENTS_MOST + 1, 'delta {"text": "one"}'))
    say("run_e", "two")

    until(lambda: len(stored("run_e")) == 2)
    assert [json.loads(line.removeprefix("delta "))["text"] for line in stored("run_e")] == ["one", "two"]


@pytest.mark.parametrize(("a", "b"), [("9-0", "10-0"), ("10-0", "10-1"), ("10-9", "10-10")])
def test_ids_are_ordered_as_numbers(a, b):
    assert hub._position(a) < hub._position(b)
