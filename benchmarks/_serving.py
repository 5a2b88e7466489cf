"""GPT Builder and a paced model's endpoint, started for one measurement: own folder and ports, nothing left behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gptbuilder.embedded import children, places, postgres, redis  # noqa: E402
from gptbuilder.embedded.children import Child  # noqa: E402

START_SECONDS = 120
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# What a conversation costs; the supervisor and its guardian count as memory only.
PARTS = ("web", "runs", "indexing", "postgres", "redis")

PEOPLE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from gptbuilder.accounts.models import User
from gptbuilder.gpts import builtin
from gptbuilder.workspaces.models import Workspace
sessions = []
for number in range({count}):
    user = User(email=f"person{{number}}@example.org", name=f"Person {{number}}", password="!")
    user.save()
    Workspace.objects.personal(user)
    session = SessionStore()
    session[SESSION_KEY] = user.pk
    session[BACKEND_SESSION_KEY] = "gptbuilder.accounts.backends.PageBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    sessions.append(session.session_key)
print(json.dumps([builtin.default_gpt().pk, sessions]))
"""
# Runs whose worker says nothing and is not found out: their heartbeat lies in the future.
HANGING_RUNS = """
import json
from datetime import timedelta
from django.utils import timezone
from gptbuilder.accounts.models import User
from gptbuilder.conversations import turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import builtin
person, gpt, runs = User.objects.get(email="person0@example.org"), builtin.default_gpt(), []
for number in range({count}):
    thread = turns.start_thread(person, gpt)
    question = Message.objects.create(thread=thread, role="user", text="Hello?")
    run = Run.objects.create(thread=thread, version=gpt.live_version, person=person, question=question, attempt=1,
        status="in_progress", heartbeat_at=timezone.now() + timedelta(days=1))
    runs.append(run.pk)
print(json.dumps(runs))
"""


class Serving:
    """Everything `python -m gptbuilder` starts, answering with `tokens` tokens. A context manager, for the main thread.

    `port` and `upstream_port` are where the two listen. The limits of messages are out of the way.
    """

    def __init__(self, *, tokens: int = 100, interval_ms: float = 20, first_ms: float = 100) -> None:
        self.port = places.free_port()
        self.upstream_port = places.free_port()
        self.home = Path(tempfile.mkdtemp(prefix="gptbuilder-bench-", dir="/tmp"))
        self._pace = ["--tokens", tokens, "--interval-ms", interval_ms, "--first-ms", first_ms]
        self._environment = {
            "GPTBUILDER_HOME": str(self.home),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.upstream_port}/v1",
            "OPENAI_API_KEY": "bench",
            "OPENAI_MODEL": "paced",
            "MESSAGES_PER_HOUR": "1000000",
            "PYTHONUNBUFFERED": "1",
        }
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._cleanup.callback(shutil.rmtree, self.home, ignore_errors=True)
            output = self._cleanup.enter_context(Path(f"{self.home}.log").open("w+b"))
            self._cleanup.callback(Path(output.name).unlink)
            upstream = [sys.executable, "-m", "tests.upstream", "--port", self.upstream_port, *self._pace]
            self._spawn("upstream", upstream, output)
            self.supervisor = self._spawn("gptbuilder", [sys.executable, "-m", "gptbuilder"], output)
            self._wait_until_it_serves(output)
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def people(self, count: int) -> tuple[str, list[str]]:
        """The id of the default GPT, and the session keys of so many new people who are signed in."""
        gpt_id, sessions = self._ask(PEOPLE.format(count=count))
        return gpt_id, sessions

    def hanging_runs(self, count: int) -> list[str]:
        """Ids of new runs of the first person that never go on."""
        runs: list[str] = self._ask(HANGING_RUNS.format(count=count))
        return runs

    @contextmanager
    def minimal(self) -> Iterator[tuple[int, Callable[[], float]]]:
        """The least that Django does for a message (_minimal.py), on this database and broker: its port, and the CPU
        seconds so far of it, the database and the broker."""
        port = places.free_port()
        command = [sys.executable, "-m", "uvicorn", "_minimal:application", "--port", str(port), "--no-access-log"]
        environment = {**self._environment, **self._addresses()}
        child = Child("minimal", [*command, "--log-level", "warning"], environment, Path(__file__).parent)
        with Path(f"{self.home}.log").open("ab") as output:
            process = children.spawn(child, output.fileno())
            try:
                _wait_until_open(port)
                ids = self._children()
                yield port, lambda: sum(map(_cpu_seconds, (process.pid, *_tree(ids["postgres"]), *_tree(ids["redis"]))))
            finally:
                children.stop(process, child)

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far of each part, with all its processes."""
        ids = self._children()
        return {part: sum(map(_cpu_seconds, _tree(ids[part]))) for part in PARTS}

    def memory_mb(self) -> float:
        """Proportional set size of everything but the embedding model, the supervisor as well."""
        model = _tree(self._children()["embedder"])
        return sum(map(_pss_mb, set(_tree(self.supervisor.pid)).difference(model)))

    def _children(self) -> dict[str, int]:
        """The ids of the running processes by name."""
        found: dict[str, int] = json.loads((self.home / "children.json").read_text())
        return found

    def _spawn(self, name: str, command: list[object], output: IO[bytes]) -> subprocess.Popen[bytes]:
        child = Child(
            name, [str(word) for word in command], self._environment, ROOT, death_signal=signal.SIGTERM, stop_seconds=20
        )
        process = children.spawn(child, output.fileno())
        self._cleanup.callback(children.stop, process, child)
        return process

    def _wait_until_it_serves(self, output: IO[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while b"runs at" not in Path(output.name).read_bytes():
            if self.supervisor.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"It does not start:\n{Path(output.name).read_text()}")
            time.sleep(0.1)

    def _addresses(self) -> dict[str, str]:
        folders = places.settle(self.home)
        return {"DATABASE_URL": postgres.address(folders), "REDIS_URL": redis.address(folders)}

    def _ask(self, script: str) -> list[object]:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
        environment = {**os.environ, **self._environment, **self._addresses(), "DATABASE_POOL": "0"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        answer: list[object] = json.loads(done.stdout.splitlines()[-1])
        return answer


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _tree(root: int) -> list[int]:
    """A process and everything below it."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (stat := _stat(int(entry.name))):
            below.setdefault(int(stat[1]), []).append(int(entry.name))
    found = [root]
    for process in found:
        found.extend(below.get(process, []))
    return found


def _stat(process: int) -> list[str]:
    """Fields of /proc/ID/stat from the state on; empty when it has gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_seconds(process: int) -> float:
    """With the time of children that have ended: PostgreSQL's processes come and go."""
    stat = _stat(process)
    return sum(map(int, stat[11:15])) / TICKS_PER_SECOND if stat else 0.0


def _pss_mb(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
