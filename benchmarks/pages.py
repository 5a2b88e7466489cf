"""What the main pages cost: server time, queries, and the first load in a real Chromium.

A person with 20 GPTs and 40 chats of 10 messages opens each page over HTTP, one after the other and each time after
an empty view (`/healthz`), so that both see the same machine. Queries are counted in a process of its own, on the
same database, with the page's caches warm.

- `<page>_ms_p50`, `_p95`: from the request to the last byte of the answer.
- `<page>_queries`: with the session and who is signed in.
- `<page>_first_load_kb`, `<page>_requests`: what a browser with an empty cache fetches, compressed, pictures aside.
- `<page>_paints_without_script`: 1 when something is painted while every script is held back.
- `empty_ms_p50`: the empty view.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import uvloop
from _exchange import Exchange
from _figures import arguments, show
from _serving import Serving
from playwright.sync_api import Browser, Route, sync_playwright

ROUNDS = 60
QUICK_ROUNDS = 12
WARM_ROUNDS = 3
SCRIPT_HELD_MS = 1500
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-quic", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
# Of a page and not of what stands on it.
PICTURES = {"image", "media"}

WORLD = """
import json
from django.utils import timezone
from gptbuilder.accounts.models import User
from gptbuilder.conversations import turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, builtin, drafts, versions
from gptbuilder.gpts.models import GPT
from gptbuilder.web import markdown
person = User.objects.get(email="person0@example.org")
User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
for number in range(20):
    gpt = drafts.create(person)
    drafts.apply(gpt.pk, {"name": f"Helper {number}", "description": "Helps.", "instructions": "Help. " * 300,
        "starters": ["How?", "Why?"]})
    gpt = GPT.objects.select_related("draft").get(pk=gpt.pk)
    versions.publish(gpt, by=person, now=timezone.now())
    gpt.refresh_from_db()
access.share(gpt, GPT.Audience.LINK)
gpt.refresh_from_db()
text = "A **paragraph** of an answer, as they are. " * 12 + "\\n\\n- one\\n- two\\n"
for number in range(40):
    thread = turns.start_thread(person, builtin.default_gpt())
    parent = None
    for turn in range(5):
        question = Message.objects.create(thread=thread, parent=parent, role="user", text=text)
        run = Run.objects.create(thread=thread, version=thread.gpt.live_version, person=person, question=question,
            status="completed")
        parent = Message.objects.create(thread=thread, parent=question, role="assistant", text=text, run=run,
            html=markdown.render(text))
    Thread.objects.filter(pk=thread.pk).update(head=parent, title=f"Chat {number}")
print(json.dumps([gpt.pk, gpt.link_token, thread.pk]))
"""
QUERIES = """
import json
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
settings.ALLOWED_HOSTS = ["*"]
counts = {{}}
for name, path, session in {pages!r}:
    client = Client()
    if session:
        client.cookies["sessionid"] = session
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    counts[name] = len(asked) if answer.status_code == 200 else -answer.status_code
print(json.dumps(counts))
"""


class Pages(Serving):
    def ask(self, script: str) -> Any:
        return self._ask(script)


def main() -> None:
    asked = arguments(__doc__)
    with Pages() as serving:
        _, (session,) = serving.people(1)
        gpt_id, token, thread_id = serving.ask(WORLD)
        pages = {
            "landing": ("/", ""),
            "sign_in": ("/accounts/login/", ""),
            "link": (f"/g/{token}/", ""),
            "new_chat": ("/", session),
            "chat": (f"/c/{thread_id}/", session),
            "my_gpts": ("/gpts/", session),
            "create": (f"/gpts/{gpt_id}/edit/", session),
            "configure": (f"/gpts/{gpt_id}/edit/configure/", session),
            "settings": ("/settings/", session),
            "operation": ("/administration/operation/", session),
        }
        figures: dict[str, float] = {}
        counts = serving.ask(QUERIES.format(pages=[(name, *page) for name, page in pages.items()]))
        times = uvloop.run(timed(serving.port, pages, QUICK_ROUNDS if asked.quick else ROUNDS))
        with chromium() as browser:
            loads = {name: first_load(browser, serving.port, *page) for name, page in pages.items()}
        for name in pages:
            figures[f"{name}_ms_p50"] = round(statistics.median(times[name]), 2)
            figures[f"{name}_ms_p95"] = round(sorted(times[name])[int(len(times[name]) * 0.95)], 2)
            figures[f"{name}_queries"] = counts[name]
            figures |= {f"{name}_{figure}": value for figure, value in loads[name].items()}
        figures["empty_ms_p50"] = round(statistics.median(times["empty"]), 2)
    show("pages", figures, as_json=asked.json)


async def timed(port: int, pages: dict[str, tuple[str, str]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page over a connection that is kept, the empty view before each."""
    times: dict[str, list[float]] = {name: [] for name in ["empty", *pages]}
    exchange = await Exchange.open(port)
    with closing(exchange):
        for number in range(rounds + WARM_ROUNDS):
            for name, (path, session) in pages.items():
                for kind, where in (("empty", "/healthz"), (name, path)):
                    taken = await get(exchange, where, session)
                    if number >= WARM_ROUNDS:
                        times[kind].append(taken)
    return times


async def get(exchange: Exchange, path: str, session: str) -> float:
    began = time.perf_counter()
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    exchange.send("GET", path, headers | ({"Cookie": f"sessionid={session}"} if session else {}))
    async with asyncio.timeout(30):
        await exchange.body()
    if exchange.status != 200:
        raise SystemExit(f"{path}: {exchange.status}")
    return (time.perf_counter() - began) * 1000


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def first_load(browser: Browser, port: int, path: str, session: str) -> dict[str, float]:
    """In a context of its own: nothing is cached."""
    base = f"http://127.0.0.1:{port}"
    with closing(browser.new_context()) as context:
        if session:
            context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page = context.new_page()
        session_of_tools = context.new_cdp_session(page)
        session_of_tools.send("Network.enable")
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        session_of_tools.on("Network.requestWillBeSent", lambda told: kinds.update({told["requestId"]: told["type"]}))
        session_of_tools.on(
            "Network.loadingFinished", lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]})
        )
        page.goto(base + path, wait_until="networkidle")
        counted = [size for request, size in sizes.items() if kinds.get(request, "").lower() not in PICTURES]
    return {
        "first_load_kb": round(sum(counted) / 1000, 1),
        "requests": len(counted),
        "paints_without_script": paints_without_script(browser, base, path, session),
    }


def paints_without_script(browser: Browser, base: str, path: str, session: str) -> float:
    with closing(browser.new_context()) as context:
        if session:
            context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page = context.new_page()

        def hold(route: Route) -> None:
            page.wait_for_timeout(SCRIPT_HELD_MS)
            route.continue_()

        page.route("**/*.js", hold)
        page.goto(base + path)
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9")
    return float(painted < SCRIPT_HELD_MS)


if __name__ == "__main__":
    main()
