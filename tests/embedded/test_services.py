"""Real servers in a folder: they start, keep what they were given, and survive being killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from gptbuilder.embedded import places, services
from gptbuilder.embedded.places import is_root
from tests.embedded.waiting import until

ROOT = Path(__file__).parents[2]


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def test_both_answer_and_keep_what_they_were_given(home):
    first = services.start(home)
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('中文')")
    with redis.Redis.from_url(first.redis_url) as client:
        client.set("kept", "yes")
    first.stop()

    second = services.start(home)

    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("中文",)]
    with redis.Redis.from_url(second.redis_url) as client:
        assert client.get("kept") == b"yes"
    second.stop()


def test_they_end_with_the_process_that_started_them(home):
    script = "; ".join(
        [
            "import time, pathlib, sys",
            "from gptbuilder.embedded import services",
            "services.start(pathlib.Path(sys.argv[1]))",
            "print('on', flush=True)",
            "time.sleep(100)",
        ]
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None and owner.stdout.readline() == "on\n"
    started = psutil.Process(owner.pid).children(recursive=True)

    owner.kill()
    owner.communicate()

    assert not psutil.wait_procs(started, timeout=10)[1]


def test_pid_files_of_a_killed_server_do_not_prevent_a_start(home):
    first = services.start(home)
    killed = postmaster(home)
    socket_lock = home / "sockets" / "postgres" / ".s.PGSQL.5432.lock"
    lines = socket_lock.read_text().splitlines()
    workers = psutil.Process(killed).children(recursive=True)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not psutil.wait_procs(workers, timeout=0)[1])
    first.stop()
    # The worst case: the old number belongs to somebody else by now.
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(killed), str(os.getpid()), 1))
    socket_lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    second = services.start(home)

    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.stop()


def test_a_folder_with_a_long_path_gets_short_sockets(home):
    deep = places.settle(home).home / ("x" * 90) / "home"

    started = services.start(deep)

    assert str(deep) not in started.database_url
    with psycopg.connect(started.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    started.stop()


@pytest.mark.skipif(not is_root(), reason="only root has ids to give away")
def test_as_root_each_server_runs_under_an_id_of_its_own(home):
    started = services.start(home)

    ids = {
        process.name(): process.uids().real
        for process in psutil.Process().children()
        if str(home) in " ".join(process.cmdline())
    }

    assert len(ids) == 2
    assert len(set(ids.values()) - {0}) == 2
    started.stop()
