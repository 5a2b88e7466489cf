"""Conversations while processes are killed at random: what is lost, doubled or stuck, and whether memory grows.

The site runs under its own supervisor, with a model's endpoint that sends 100 tokens in about four seconds.
Conversations begin evenly over the time and are followed to their end as a page does: a stream that breaks is opened
again, then the answer is asked for. Meanwhile, in the first three quarters of the time, one of worker, pages, Redis and
PostgreSQL is killed (SIGKILL, by the ids in children.json) every 10 to 20 seconds, never one of them four times in a
minute, because the supervisor gives up at the fifth.

Afterwards the database is asked, not the pages:

- `lost`: questions that were accepted (200) and have no row, or no run that ended whole or with a reason.
- `doubled`: questions stored twice, runs with two answers, answers whose text is not exactly the tokens once.
- `stuck`: runs that have not ended 60 seconds after the last conversation.
- `failed_with_reason`: runs whose three attempts were all killed, or that found no database for 30 seconds; not lost.
- `not_accepted`: questions whose POST broke; the person sees that, and asks again.
- `<process>_mb_per_minute`: the slope of memory (with its share of shared pages) over the longest life of each
  process, the first fifth aside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvloop
from _exchange import Exchange
from _figures import show
from _serving import Serving, _pss_mb, _tree

TOKENS = 100
VICTIMS = ("runs", "web", "redis", "postgres")
KILLS_A_MINUTE = 3
PAUSE_SECONDS = (10, 20)
QUIET_SHARE = 0.25
SAMPLE_SECONDS = 5
FOLLOW_SECONDS = 120
ENDING_SECONDS = 60
CSRF_TOKEN = "a" * 32

VERDICT = """
import json
from django.db.models import Count
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
text = ("token " * {tokens}).strip()
questions = Message.objects.filter(role="user", text__startswith="soak ")
rows = list(questions.values_list("text", "id"))
runs = {{}}
for run in Run.objects.select_related("answer").filter(question__text__startswith="soak "):
    answer = getattr(run, "answer", None)
    runs.setdefault(run.question_id, []).append(
        [run.status, run.error_code, run.attempt, answer.text.strip() == text if answer else None])
doubled = Message.objects.filter(role="assistant").values("parent").annotate(n=Count("pk")).filter(n__gt=1).count()
print(json.dumps([rows, runs, doubled, Run.objects.active().count()]))
"""


class Soaked(Serving):
    def ask(self, script: str) -> Any:
        return self._ask(script)

    def children(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads((self.home / "children.json").read_text())
        except (OSError, ValueError):
            return {}
        return found


@dataclass
class Talk:
    """One question: `accepted` when its POST answered 200, `ended` when the page saw the end."""

    text: str
    accepted: bool = False
    ended: bool = False
    trouble: str = ""


@dataclass
class Memory:
    """Megabytes of one life of a process, with the seconds since the beginning."""

    samples: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, at: float, children: dict[str, int]) -> None:
        for name, number in children.items():
            if name != "supervisor" and (megabytes := sum(map(_pss_mb, _tree(number)))):
                self.samples[name, number].append((at, megabytes))

    def longest(self) -> Iterator[tuple[str, list[tuple[float, float]], int]]:
        lives: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
        for (name, _), samples in self.samples.items():
            lives[name].append(samples)
        for name, found in sorted(lives.items()):
            yield name, max(found, key=len), len(found)


async def soak(serving: Soaked, minutes: float, count: int) -> tuple[list[Talk], Counter[str], Memory]:
    gpt_id, sessions = serving.people(min(count, 200))
    seconds = minutes * 60
    talks = [Talk(f"soak {number} {random.random()}") for number in range(count)]
    kills: Counter[str] = Counter()
    memory = Memory()
    began = time.monotonic()
    killer = asyncio.create_task(kill_at_random(serving, seconds * (1 - QUIET_SHARE), kills))
    watcher = asyncio.create_task(watch(serving, began, memory))
    pause = seconds / count
    async with asyncio.TaskGroup() as group:
        for number, talk in enumerate(talks):
            await asyncio.sleep(max(0, began + number * pause - time.monotonic()))
            group.create_task(converse(serving.port, gpt_id, sessions[number % len(sessions)], talk))
    await killer
    watcher.cancel()
    return talks, kills, memory


async def converse(port: int, gpt_id: str, session: str, talk: Talk) -> None:
    cookies = {"Cookie": f"sessionid={session}; csrftoken={CSRF_TOKEN}"}
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": CSRF_TOKEN, "HX-Request": "true"}
    try:
        status, page = await ask(port, "POST", f"/gpts/{gpt_id}/chats/", {**cookies, **form}, {"text": talk.text})
    except (OSError, TimeoutError) as error:
        talk.trouble = f"POST: {type(error).__name__}"
        return
    if status != 200:
        talk.trouble = f"POST: {status}"
        return
    talk.accepted = True
    found = re.search(r'data-events="(/runs/([^/"]+)/events)"', page)
    if not found:
        # The answer was there before the page.
        talk.ended = True
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(FOLLOW_SECONDS):
            await follow(port, found[1], f"/runs/{found[2]}/answer/", cookies, talk)


async def follow(port: int, events: str, answer: str, cookies: dict[str, str], talk: Talk) -> None:
    """The stream until `done`; after a break again from the last id, as EventSource does."""
    last = ""
    while not talk.ended:
        with suppress(OSError, TimeoutError):
            exchange = await Exchange.open(port)
            with closing(exchange):
                exchange.send("GET", events, cookies | ({"Last-Event-ID": last} if last else {}))
                rest = b""
                while not talk.ended and (piece := await asyncio.wait_for(exchange.piece(), 40)):
                    *whole, rest = (rest + piece).split(b"\n\n")
                    for event in whole:
                        fields = dict(line.split(": ", 1) for line in event.decode().split("\n") if ": " in line)
                        last = fields.get("id", last)
                        talk.ended = talk.ended or fields.get("event") == "done"
        if not talk.ended:
            await asyncio.sleep(1)
            with suppress(OSError, TimeoutError):
                status, page = await ask(port, "GET", answer, cookies, None)
                talk.ended = status == 200 and "<run-stream" not in page


async def ask(
    port: int, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
) -> tuple[int, str]:
    exchange = await Exchange.open(port)
    with closing(exchange):
        exchange.send(method, path, headers, urlencode(form).encode() if form else b"")
        body = await asyncio.wait_for(exchange.body(), 40)
        return exchange.status, body.decode()


async def kill_at_random(serving: Soaked, seconds: float, kills: Counter[str]) -> None:
    ends = time.monotonic() + seconds
    recent: list[tuple[float, str]] = []
    while (pause := random.uniform(*PAUSE_SECONDS)) < ends - time.monotonic():
        await asyncio.sleep(pause)
        now = time.monotonic()
        recent = [kill for kill in recent if now - kill[0] < 60]
        often = Counter(name for _, name in recent)
        children = serving.children()
        choice = [name for name in VICTIMS if often[name] < KILLS_A_MINUTE and name in children]
        if choice:
            victim = random.choice(choice)
            with suppress(ProcessLookupError):
                os.killpg(children[victim], signal.SIGKILL)
                kills[victim] += 1
                recent.append((now, victim))


async def watch(serving: Soaked, began: float, memory: Memory) -> None:
    while True:
        memory.take(time.monotonic() - began, serving.children())
        await asyncio.sleep(SAMPLE_SECONDS)


def verdict(serving: Soaked, talks: list[Talk]) -> dict[str, float]:
    """Asked of the database until nothing is in the air any more, or the time for that is over."""
    deadline = time.monotonic() + ENDING_SECONDS
    while True:
        rows, runs, answered_twice, active = serving.ask(VERDICT.format(tokens=TOKENS))
        if not active or time.monotonic() > deadline:
            break
        time.sleep(3)
    stored: dict[str, list[str]] = defaultdict(list)
    for text, question_id in rows:
        stored[text].append(question_id)
    everything = [run for found in runs.values() for run in found]
    accepted = [talk for talk in talks if talk.accepted]
    # What is still in the air is stuck, and not lost as well.
    lost = [talk for talk in accepted if not any(runs.get(question) for question in stored[talk.text])]
    odd = [run for run in everything if run[0] in ("cancelled", "incomplete", "expired")]
    wrong = [run for run in everything if run[0] == "completed" and run[3] is not True]
    more = sum(len(found) > 1 for found in [*stored.values(), *runs.values()])
    for trouble, number in Counter(talk.trouble for talk in talks if talk.trouble).most_common():
        print(f"  {number} × {trouble}")
    return {
        "conversations": len(talks),
        "accepted": len(accepted),
        "not_accepted": len(talks) - len(accepted),
        "lost": len(lost) + len(odd),
        "doubled": answered_twice + more + len(wrong),
        "stuck": active,
        "unseen_ends": sum(talk.accepted and not talk.ended for talk in talks),
        "failed_with_reason": sum(run[0] == "failed" for run in everything),
        "attempts_beyond_first": sum(max(0, run[2] - 1) for run in everything),
    }


def slopes(memory: Memory) -> dict[str, float]:
    figures = {}
    print(f"{'process':12}{'lives':>6}{'longest':>9}{'first MB':>10}{'last MB':>9}{'MB/min':>8}")
    for name, samples, lives in memory.longest():
        settled = samples[len(samples) // 5 :]
        if len(settled) < 3:
            continue
        slope = statistics.linear_regression(*zip(*settled, strict=True)).slope * 60
        seconds = samples[-1][0] - samples[0][0]
        print(f"{name:12}{lives:6}{seconds:8.0f}s{settled[0][1]:10.1f}{settled[-1][1]:9.1f}{slope:8.2f}")
        figures[f"{name}_mb_per_minute"] = round(slope, 3)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="two minutes and 100 conversations")
    parser.add_argument("--json", action="store_true", help="the figures as JSON in the last line")
    parser.add_argument("--seed", type=int, default=None, help="the same kills again")
    asked = parser.parse_args()
    random.seed(asked.seed)
    minutes, count = (2, 100) if asked.quick else (asked.minutes, asked.conversations)
    with Soaked(tokens=TOKENS, interval_ms=40) as serving:
        talks, kills, memory = uvloop.run(soak(serving, minutes, count))
        figures = verdict(serving, talks)
    figures |= {f"kills_{name}": kills[name] for name in VICTIMS} | slopes(memory)
    show("soak", figures, as_json=asked.json)


if __name__ == "__main__":
    main()
