"""How fast answers reach the page: conversations through the site, against the same load on the model's endpoint.

A conversation is what a browser does: POST the first message of a new chat, follow the run's events to `done`.
The endpoint sends 100 tokens, the first after 100 ms, one each 20 ms. Its rounds and ours take turns. All on this
machine: the endpoint and the load take their share of the cores, too.

- `ttft_overhead_ms`: from the POST to the first delta, less the median of the same directly.
- `total_ratio`: the median from the POST to `done`, over the same directly. Of the burst: from the first POST to the
  last `done`, over the same directly.
- `stall_ms_p95`: of each conversation the longest time between two deltas.
- `errors`: a conversation whose text is not all of the 100 tokens once, in order, or whose end is not `completed`.
  One that was over before its events were asked for has no deltas: its text comes at once, with `done`.
- `cpu_ms_per_conversation`: web, workers, PostgreSQL and Redis in the rounds of C=200, less what they use idle.
- `minimal_post_ms`: CPU of the least that Django does for a message (_minimal.py), on this machine: the web process,
  PostgreSQL and Redis. The targets were set where it cost 8.3 ms.
- `idle_mb`: everything but the embedding model, IDLE_SECONDS after the last conversation.
- `open_streams_1000_mb`: streams of runs that are marked as in progress and never go on.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode

import uvloop
from _exchange import Exchange
from _figures import arguments, show
from _serving import PARTS, Serving

TOKENS = 100
TEXT = "token " * TOKENS
PATIENCE_SECONDS = 60
SETTLE_SECONDS = 2.0
# By then connections to the database that nobody uses are closed.
IDLE_SECONDS = 40.0
CSRF_TOKEN = "a" * 32


@dataclass(frozen=True)
class Load:
    """So many conversations, beginning evenly over some seconds; 0 seconds: all at once. One: one after the other."""

    name: str
    count: int
    over_seconds: float
    rounds: int


LOADS = (
    Load("c1", 1, 0, 15),
    Load("c50", 50, 5, 3),
    Load("c200", 200, 10, 3),
    Load("burst200", 200, 0, 3),
    Load("c500", 500, 25, 2),
)
QUICK = (
    Load("c1", 1, 0, 3),
    Load("c50", 20, 2, 1),
    Load("c200", 60, 3, 1),
    Load("burst200", 80, 0, 1),
    Load("c500", 100, 5, 1),
)


@dataclass
class Conversation:
    """When it began, when each delta came, when it was over; what was wrong with it."""

    began: float = 0.0
    deltas: list[float] = field(default_factory=list)
    ended: float = 0.0
    error: str = ""

    @property
    def first_ms(self) -> float:
        return (self.deltas[0] - self.began) * 1000

    @property
    def total_ms(self) -> float:
        return (self.ended - self.began) * 1000

    @property
    def stall_ms(self) -> float:
        return (
            max((later - earlier for earlier, later in zip(self.deltas, self.deltas[1:], strict=False)), default=0)
            * 1000
        )


@dataclass(frozen=True)
class Round:
    """The conversations of one round, and the CPU milliseconds of each part meanwhile."""

    conversations: list[Conversation]
    cpu_ms: dict[str, float]

    @property
    def good(self) -> list[Conversation]:
        return [conversation for conversation in self.conversations if not conversation.error]

    @property
    def errors(self) -> list[str]:
        return [conversation.error for conversation in self.conversations if conversation.error]

    @property
    def seconds(self) -> float:
        return max(c.ended for c in self.conversations) - min(c.began for c in self.conversations)


Talk = Callable[[int, Conversation], Awaitable[None]]


async def directly(port: int, conversation: Conversation) -> None:
    exchange = await Exchange.open(port)
    body = {"model": "paced", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    with closing(exchange):
        exchange.send("POST", "/v1/chat/completions", {"Content-Type": "application/json"}, json.dumps(body).encode())
        texts = []
        while piece := await exchange.piece():
            now = time.perf_counter()
            contents = re.findall(rb'"content": ?"([^"]+)"', piece)
            if contents:
                texts += contents
                conversation.deltas.append(now)
    if b"".join(texts).decode() != TEXT:
        conversation.error = "the text is not what was sent"


def form_headers(session: str) -> dict[str, str]:
    cookies = f"sessionid={session}; csrftoken={CSRF_TOKEN}"
    return {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": CSRF_TOKEN}


async def as_browser(port: int, gpt_id: str, session: str, conversation: Conversation) -> None:
    exchange = await Exchange.open(port)
    form = form_headers(session)
    with closing(exchange):
        text = urlencode({"text": "Tell me something."}).encode()
        exchange.send("POST", f"/gpts/{gpt_id}/chats/", {**form, "HX-Request": "true"}, text)
        page = (await exchange.body()).decode()
        found = re.search(r'data-events="([^"]+)"', page)
        if exchange.status != 200 or not found:
            conversation.error = f"POST: {exchange.status} {page[:200]}"
            return
        exchange.send("GET", found[1], {"Cookie": form["Cookie"], "Accept": "text/event-stream"})
        await _follow(exchange, conversation)


async def _follow(exchange: Exchange, conversation: Conversation) -> None:
    """Read the run's events to the end and check what they say."""
    text, end, rest = "", None, b""
    while piece := await exchange.piece():
        now = time.perf_counter()
        *events, rest = (rest + piece).split(b"\n\n")
        for event in events:
            fields = dict(line.split(": ", 1) for line in event.decode().split("\n") if ": " in line)
            data = json.loads(fields.get("data") or "{}")
            if fields.get("event") == "delta":
                text += data["text"]
                conversation.deltas.append(now)
            elif fields.get("event") == "done":
                end = data
    if end is None or end["status"] != "completed":
        conversation.error = f"the end is {end and end['status']}, {exchange.status}"
    elif text not in (TEXT, "") or TEXT.strip() not in end["html"]:
        conversation.error = f"the text has {text.count('token')} tokens, {len(text)} letters"
    elif not text:
        conversation.deltas.append(now)


async def one_round(load: Load, talk: Talk, serving: Serving) -> Round:
    conversations = [Conversation() for _ in range(load.count)]
    before = serving.cpu_seconds()
    await asyncio.gather(
        *(
            _begin(number * load.over_seconds / load.count, number, talk, conversation)
            for number, conversation in enumerate(conversations)
        )
    )
    # What is written after the answer is a cost of the answer.
    await asyncio.sleep(0.5)
    return Round(conversations, _difference_ms(before, serving.cpu_seconds()))


async def _begin(after_seconds: float, number: int, talk: Talk, conversation: Conversation) -> None:
    await asyncio.sleep(after_seconds)
    conversation.began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await talk(number, conversation)
    except (OSError, TimeoutError) as error:
        conversation.error = f"{type(error).__name__} {error}"
    conversation.ended = time.perf_counter()


def _difference_ms(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {part: (after[part] - before[part]) * 1000 for part in PARTS}


def figures_of(load: Load, direct: list[Round], ours: list[Round]) -> dict[str, float]:
    """Medians of the rounds; of C=1, whose rounds are one conversation each, of all."""
    if load.count == 1:
        direct, ours = [_joined(direct)], [_joined(ours)]
    base = statistics.median(c.first_ms for round in direct for c in round.good)
    overheads = [sorted(c.first_ms - base for c in round.good) for round in ours if round.good]
    total = statistics.median(c.total_ms for round in direct for c in round.good)
    figures = {
        "ttft_overhead_ms_p50": _median(_quantile(values, 0.5) for values in overheads),
        "ttft_overhead_ms_p95": _median(_quantile(values, 0.95) for values in overheads),
        "total_ratio": _median(_quantile([c.total_ms for c in round.good], 0.5) for round in ours if round.good)
        / total,
        "stall_ms_p95": _median(_quantile([c.stall_ms for c in round.good], 0.95) for round in ours if round.good),
        "errors": sum(len(round.errors) for round in ours),
    }
    if load.name.startswith("burst"):
        seconds = _median(round.seconds for round in direct)
        figures["total_ratio"] = _median(round.seconds for round in ours) / seconds
    return figures


def _joined(rounds: list[Round]) -> Round:
    return Round([conversation for round in rounds for conversation in round.conversations], {})


def _median(values: object) -> float:
    return statistics.median(values)  # type: ignore[call-overload, no-any-return]


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(serving: Serving, loads: tuple[Load, ...], streams: int) -> dict[str, float]:
    gpt_id, sessions = serving.people(max(load.count for load in loads))

    async def direct(number: int, conversation: Conversation) -> None:
        await directly(serving.upstream_port, conversation)

    async def ours(number: int, conversation: Conversation) -> None:
        await as_browser(serving.port, gpt_id, sessions[number], conversation)

    await one_round(Load("warm", 8, 1, 1), ours, serving)
    await asyncio.sleep(IDLE_SECONDS)
    figures: dict[str, float] = {"idle_mb": serving.memory_mb()}
    before = serving.cpu_seconds()
    await asyncio.sleep(2 * SETTLE_SECONDS)
    idle = {part: ms / (2 * SETTLE_SECONDS) for part, ms in _difference_ms(before, serving.cpu_seconds()).items()}
    print(f"idle: {sum(idle.values()):.0f} ms of CPU a second, {figures['idle_mb']:.0f} MB\n")
    print(HEADING)
    for load in loads:
        rounds = [
            (await one_round(load, direct, serving), await one_round(load, ours, serving)) for _ in range(load.rounds)
        ]
        found = figures_of(load, [pair[0] for pair in rounds], [pair[1] for pair in rounds])
        cpu = _cost(load, [pair[1] for pair in rounds], idle)
        _show(load, found, cpu, rounds)
        kept = ("total_ratio", "errors") if load.name.startswith("burst") else tuple(found)
        figures |= {f"{load.name}_{name}": found[name] for name in kept}
        if load.name == "c200":
            figures["cpu_ms_per_conversation"] = sum(cpu.values())
    figures["minimal_post_ms"] = await minimal_post(serving, sessions[0])
    figures["open_streams_1000_mb"] = await open_streams(serving, sessions[0], streams)
    return figures


def _cost(load: Load, rounds: list[Round], idle: dict[str, float]) -> dict[str, float]:
    """CPU milliseconds of a conversation by part, the median of the rounds."""
    return {
        part: _median((r.cpu_ms[part] - idle[part] * (r.seconds + 0.5)) / load.count for r in rounds) for part in PARTS
    }


async def minimal_post(serving: Serving, session: str, count: int = 300) -> float:
    """CPU milliseconds of one such request, of so many one after the other, the database and the broker included."""
    headers = form_headers(session)
    with serving.minimal() as (port, cpu_seconds), closing(await Exchange.open(port)) as exchange:
        for number in range(-count // 10, count):
            if number == 0:
                before = cpu_seconds()
            exchange.send("POST", "/", headers, b"text=Tell+me+something.")
            if await exchange.body() != b"Tell me something.":
                raise SystemExit(f"The minimal request was answered with {exchange.status}.")
        cost = (cpu_seconds() - before) / count * 1000
    print(f"\na minimal POST of Django here: {cost:.1f} ms of CPU")
    return cost


async def open_streams(serving: Serving, session: str, count: int) -> float:
    """Growth in MB of 1,000 streams, from `count` of them."""
    runs = serving.hanging_runs(count)
    await asyncio.sleep(SETTLE_SECONDS)
    before = serving.memory_mb()
    exchanges = []
    try:
        for run in runs:
            exchange = await Exchange.open(serving.port)
            exchanges.append(exchange)
            exchange.send("GET", f"/runs/{run}/events", {"Cookie": f"sessionid={session}"})
            await exchange.piece()
        await asyncio.sleep(SETTLE_SECONDS)
        growth = serving.memory_mb() - before
    finally:
        for exchange in exchanges:
            exchange.close()
    print(f"\n{count} open streams: {growth:.1f} MB")
    return growth * 1000 / count


HEADING = (
    f"{'load':10}{'first +ms p50':>14}{'p95':>7}{'total ×':>9}{'stall p95':>10}{'(direct)':>9}{'errors':>7}"
    f"   CPU ms of a conversation: {' + '.join(PARTS)}"
)


def _show(load: Load, found: dict[str, float], cpu: dict[str, float], rounds: list[tuple[Round, Round]]) -> None:
    stall = _quantile([c.stall_ms for pair in rounds for c in pair[0].good], 0.95)
    parts = " + ".join(f"{cpu[part]:.1f}" for part in PARTS)
    print(
        f"{load.name:10}{found['ttft_overhead_ms_p50']:14.0f}{found['ttft_overhead_ms_p95']:7.0f}"
        f"{found['total_ratio']:9.2f}{found['stall_ms_p95']:10.0f}{stall:9.0f}{found['errors']:7.0f}"
        f"   {sum(cpu.values()):.1f} = {parts}",
        flush=True,
    )
    for error in sorted({error for pair in rounds for round in pair for error in round.errors})[:5]:
        print(f"           {error}")


def main() -> None:
    options = arguments(__doc__)
    with Serving(tokens=TOKENS) as serving:
        gc.disable()
        loads, streams = (QUICK, 200) if options.quick else (LOADS, 1000)
        figures = uvloop.run(measure(serving, loads, streams))
    show("streaming", figures, as_json=options.json)


if __name__ == "__main__":
    main()
