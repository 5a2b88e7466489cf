"""What dies is started again, and nothing is left behind: with real services under a real supervisor."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gptbuilder.embedded import places
from tests.embedded.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def begin(*flags: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.embedded.stand_in", str(home), *flags]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    until(lambda: not descendants_in(home))


def descendants_in(home: Path) -> list[int]:
    """Every process that names the folder: the services, the supervisor, its guardian."""
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        words = " ".join(process.info["cmdline"] or [])
        if str(home) in words and process.info["pid"] != os.getpid():
            found.append(process.info["pid"])
    return found


def running_children(home: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads((home / "children.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def wait_until_running(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"


def grandchildren(process_id: int) -> list[psutil.Process]:
    return psutil.Process(process_id).children(recursive=True)


@pytest.mark.parametrize("name", ["postgres", "redis", "stubborn"])
def test_a_killed_child_is_started_again(home, start, name):
    process = start()
    wait_until_running(process)
    before = running_children(home)

    os.kill(before[name], signal.SIGKILL)

    until(lambda: running_children(home).get(name, before[name]) != before[name])
    after = running_children(home)
    assert {other: after[other] for other in before if other != name} == {
        other: before[other] for other in before if other != name
    }


def test_a_signal_stops_everything(home, start):
    process = start()
    wait_until_running(process)
    children = grandchildren(process.pid)
    assert len(children) >= 5

    process.send_signal(signal.SIGINT)

    assert process.wait(10) == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not descendants_in(home)
    assert not (home / "children.json").exists()


def test_a_killed_supervisor_leaves_nothing_running_and_a_start_at_once_succeeds(home, start):
    process = start()
    wait_until_running(process)
    children = grandchildren(process.pid)

    process.kill()
    again = start()

    wait_until_running(again)
    assert not psutil.wait_procs(children, timeout=5)[1]


def test_a_child_that_keeps_failing_stops_everything_with_one_sentence(home, start):
    process = start("failing")

    out, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors.splitlines() == [
        f"failing ended five times within a minute, so all is stopped: see {home}/logs/failing.log."
    ]
    assert "failing | no luck" in out
    assert not descendants_in(home)


def test_the_log_names_the_child_on_every_line(home, start):
    process = start()
    wait_until_running(process)

    log = home / "logs" / "stubborn.log"

    until(lambda: log.exists() and log.read_text().endswith("stubborn | started\n"))


def test_a_second_start_on_the_same_folder_is_refused_and_says_who_runs(home, start):
    process = start()
    wait_until_running(process)

    with pytest.raises(places.CannotStart, match=rf"already running .* \(process {process.pid}, a stand-in\)"):
        places.lock(places.settle(home), "another")
