"""The whole site, started by its own supervisor as `make up` does, and people who use it over HTTP.

A pytest plugin (named in tests/conftest.py). One site serves all journeys of a session; a test that breaks things
starts its own with `running_site`. A site ends with this process, however this process ends.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest
import redis

from gptbuilder.conversations.stream import EVENTS_MOST
from gptbuilder.embedded import children, places, postgres
from gptbuilder.embedded import redis as embedded_redis
from gptbuilder.embedded.children import Child
from tests.upstream import ScriptedUpstream
from tests.waiting import until

ROOT = Path(__file__).parents[1]
START_SECONDS = 90
STOP_SECONDS = 40
ANSWER_SECONDS = 60
PASSWORD = "a long walk by the lake"
# What the services of the other tests left in the environment is not this site's.
OTHERS = ["DATABASE_URL", "REDIS_URL", "MEDIA_ROOT", "STATIC_ROOT", "SECRET_KEY", "FIELD_KEYS", "BASE_URL"]
# A journey is no visitor who asks too much; each person comes from an address of their own.
GENEROUS = {"TRUSTED_PROXIES": "1", "GUESTS_PER_ADDRESS_PER_DAY": "1000", "LOG_LEVEL": "INFO"}

addresses = itertools.count(1)


@dataclass
class Site:
    """A running site. `upstream` is the scripted model behind it, None when it runs the embedded one."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    upstream: ScriptedUpstream | None = None
    visitors: list[Visitor] = field(default_factory=list)

    @property
    def script(self) -> ScriptedUpstream:
        assert self.upstream is not None, "this site has a real model"
        return self.upstream

    def children(self) -> dict[str, int]:
        """The ids of the running processes by name."""
        try:
            found: dict[str, int] = json.loads((self.home / "children.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def kill(self, name: str) -> int:
        """SIGKILL to a child and to what it started; gives the id it had. The supervisor starts another one."""
        number = self.children()[name]
        os.killpg(number, signal.SIGKILL)
        return number

    def wait_until_replaced(self, name: str, number: int) -> None:
        until(lambda: self.children().get(name, number) != number, seconds=20)

    def log(self, name: str) -> str:
        file = self.home / "logs" / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database of the site says; tried again while it restarts."""

        def ask() -> list[tuple[Any, ...]] | None:
            try:
                with psycopg.connect(postgres.address(places.settle(self.home)), connect_timeout=3) as connection:
                    return [("answered",), *connection.execute(query, values).fetchall()]
            except psycopg.OperationalError:
                return None

        found = until(ask, seconds=30)
        return found[1:] if found else []

    def stream(self, run_id: str) -> list[tuple[int, str]]:
        """The stream of a run as Redis has it: the attempt that wrote each event, and its kind."""
        with redis.Redis.from_url(embedded_redis.address(places.settle(self.home)), decode_responses=True) as client:
            entries = client.xrange(f"run:{run_id}")
        return [(int(id.partition("-")[0]) // EVENTS_MOST, fields["event"].partition(" ")[0]) for id, fields in entries]

    def visitor(self) -> Visitor:
        """Somebody with an empty cookie jar."""
        self.visitors.append(Visitor(self))
        return self.visitors[-1]

    def farewell(self) -> None:
        """Close the connections of all visitors."""
        while self.visitors:
            self.visitors.pop().http.close()

    def member(self, name: str) -> Visitor:
        """Somebody who has just signed up."""
        visitor = self.visitor()
        visitor.sign_up(name)
        return visitor


class Visitor:
    """One person's browser without the browser: cookies, CSRF token, an address of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.address = address()
        self.http = httpx.Client(
            base_url=site.url,
            headers={"X-Forwarded-For": self.address},
            follow_redirects=True,
            timeout=httpx.Timeout(20, read=30),
        )

    def read(self, path: str) -> str:
        """What a person reads on this page."""
        return plain(self.get(path))

    def get(self, path: str, status: int = 200) -> str:
        response = self.http.get(path)
        assert response.status_code == status, f"GET {path}: {response.status_code}"
        return response.text

    def post(self, path: str, status: int = 200, **values: Any) -> httpx.Response:
        if "csrftoken" not in self.http.cookies:
            self.http.get("/accounts/login/")
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], "HX-Request": "true"}
        response = self.http.post(path, data=values, headers=headers)
        assert response.status_code == status, f"POST {path}: {response.status_code}\n{plain(response.text)[:400]}"
        return response

    def sign_up(self, name: str, next: str = "") -> httpx.Response:
        email = f"{name.lower()}-{self.address}@example.org"
        return self.post("/accounts/signup/", name=name, email=email, password1=PASSWORD, next=next)

    def new_gpt(self) -> str:
        """The id of a GPT just made."""
        return urlsplit(str(self.post("/gpts/new/").url)).path.split("/")[2]

    def publish(self, gpt: str) -> str:
        """Publish for everybody who has the link; gives the link's path."""
        shared = self.post(f"/gpts/{gpt}/publication/", audience="link").text
        found = re.search(r'value="http://[^/"]+(/g/[^/"]+/)"', shared)
        assert found, plain(shared)
        return found[1]

    def new_chat(self) -> str:
        """Where the first message of a new chat with the default GPT goes."""
        found = re.search(r'hx-post="(/gpts/[^/"]+/chats/)"', self.get("/c/"))
        assert found, "the page of a new chat has no composer"
        return found[1]

    def say(self, path: str, text: str) -> Turn:
        """Send a message: to a thread, to the builder, to the preview, or as the first one of a chat."""
        response = self.post(path, text=text)
        return self._turn(response)

    def again(self, turn: Turn) -> Turn:
        """Ask for another answer."""
        return self._turn(self.post(f"/c/{turn.thread_id}/regeneration/"))

    def _turn(self, response: httpx.Response) -> Turn:
        # The answer may be there before the page that waits for it.
        runs = re.findall(r'<li class="message" id="(run_[^"]+)"', response.text)
        assert runs, f"no answer is being made: {plain(response.text)[:400]}"
        ((thread_id,),) = self.site.rows("SELECT thread_id FROM conversations_run WHERE id = %s", runs[-1])
        return Turn(self, runs[-1], thread_id)


@dataclass
class Event:
    id: str
    kind: str
    data: Any


@dataclass
class Turn:
    """A message that was sent, and its answer."""

    person: Visitor
    run_id: str
    thread_id: str

    @property
    def page(self) -> str:
        return f"/c/{self.thread_id}/"

    def is_pending(self) -> bool:
        return "<run-stream" in self._now()

    def answer(self, seconds: float = ANSWER_SECONDS) -> str:
        """The finished answer as a person reads it, with the sentence that says why it is not whole."""
        until(lambda: (html := self._now()) and "<run-stream" not in html, seconds)
        return plain(self._now())

    def state(self) -> tuple[str, int, str]:
        """Status, attempt and error code of the run."""
        ((status, attempt, code),) = self.person.site.rows(
            "SELECT status, attempt, error_code FROM conversations_run WHERE id = %s", self.run_id
        )
        return status, attempt, code

    def answers(self) -> list[str]:
        """The texts of all answers that this run has stored: there must be one."""
        rows = self.person.site.rows("SELECT text FROM conversations_message WHERE run_id = %s", self.run_id)
        return [text for (text,) in rows]

    def events(self, after: str = "") -> Iterator[Event]:
        """The stream as one connection gives it. Ends with the connection or after `done`."""
        headers = {"Last-Event-ID": after} if after else {}
        with self.person.http.stream("GET", f"/runs/{self.run_id}/events", headers=headers) as response:
            assert response.status_code == 200, response.status_code
            yield from parsed(response.iter_lines())

    def follow(self) -> Iterator[Event]:
        """The stream as a browser's EventSource gives it: it reconnects after the last id it saw."""
        last = ""
        while True:
            with contextlib.suppress(httpx.TransportError):
                for event in self.events(last):
                    last = event.id or last
                    yield event
                    if event.kind == "done":
                        return

    def _now(self) -> str:
        """Empty while the web process is away."""
        with contextlib.suppress(httpx.TransportError):
            response = self.person.http.get(f"/runs/{self.run_id}/answer/")
            if response.status_code == 200:
                return response.text
        return ""


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            if "data" in fields:
                yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}


def plain(html: str) -> str:
    """What a person reads of a piece of HTML, roughly."""
    without = re.sub(r"<(style|script|svg|textarea|template)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without)).split())


def address() -> str:
    number = next(addresses)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@contextlib.contextmanager
def running_site(home: Path | None = None, **environment: str) -> Iterator[Site]:
    """A site in a data folder of its own, serving. Without OPENAI_BASE_URL in `environment` it has a scripted model;
    with an empty one the embedded model."""
    folder = home or Path(tempfile.mkdtemp(prefix="gptbuilder-site-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        upstream = None
        if "OPENAI_BASE_URL" not in environment:
            upstream = stack.enter_context(ScriptedUpstream())
            environment = {
                "OPENAI_BASE_URL": upstream.url,
                "OPENAI_API_KEY": "k",
                "OPENAI_MODEL": "scripted",
                **environment,
            }
        port = places.free_port()
        own = {
            **dict.fromkeys(OTHERS, ""),
            **GENEROUS,
            "GPTBUILDER_HOME": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            **environment,
        }
        child = Child("site", [sys.executable, "-m", "gptbuilder"], own, ROOT)
        output = stack.enter_context(tempfile.TemporaryFile())
        process = children.spawn(child, output)
        stack.callback(_stop, process)
        site = Site(f"http://127.0.0.1:{port}", folder, process, upstream)
        until(lambda: _is_ready(site, output), START_SECONDS)
        yield site


def _is_ready(site: Site, output: Any) -> bool:
    if site.process.poll() is not None:
        output.seek(0)
        raise AssertionError(f"the site did not start:\n{output.read().decode(errors='replace')}")
    try:
        ready = httpx.get(f"{site.url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
    return ready and {"web", "runs", "indexing"} <= set(site.children())


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it may be left, whatever the test did to it."""
    started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()
        for left in psutil.wait_procs(started, timeout=5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()


@pytest.fixture(scope="session")
def running() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """The site of the journeys, its model with nothing scripted."""
    running.script.forget()
    yield running
    running.farewell()
