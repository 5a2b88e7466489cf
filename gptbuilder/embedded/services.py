"""PostgreSQL and Redis in a folder of one's own: what the tests and the evaluating commands run on."""

import atexit
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gptbuilder.embedded import children, places, postgres, redis
from gptbuilder.embedded.places import CannotStart

READY_SECONDS = 30.0


@dataclass(frozen=True)
class Services:
    """Addresses of two running servers. `stop` ends both and may be called twice."""

    database_url: str
    redis_url: str
    stop: Callable[[], None]


def start(folder: Path, *, durable: bool = False) -> Services:
    """Start both and return when they answer. They end with this process, however it ends.

    As root `folder` must be reachable by unprivileged ids: not below pytest's `tmp_path` or `/root`.
    Call it from the main thread. Raises `CannotStart`.
    """
    settled = places.settle(folder)
    held = places.lock(settled, "a test")
    postgres.prepare(settled)
    redis.prepare(settled)
    running = []
    for child in (postgres.child(settled, durable=durable), redis.child(settled)):
        with (settled.logs / f"{child.name}.log").open("ab") as log:
            running.append((children.spawn(child, log), child))

    def stop() -> None:
        atexit.unregister(stop)
        while running:
            children.stop(*running.pop())
        held.close()

    atexit.register(stop)
    try:
        for process, child in running:
            deadline = time.monotonic() + READY_SECONDS
            while child.is_ready and not child.is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CannotStart(f"{child.name} did not start: see {settled.logs / child.name}.log.")
                time.sleep(0.02)
        postgres.create_database(settled)
    except BaseException:
        stop()
        raise
    return Services(postgres.address(settled), redis.address(settled), stop)


def main(command: list[str]) -> int:
    """Run a command with two fresh servers: `python -m gptbuilder.embedded.services python manage.py check`."""
    with tempfile.TemporaryDirectory(prefix="gptbuilder-") as folder:
        running = start(Path(folder))
        try:
            addresses = {"DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url}
            return subprocess.run(command, env={**os.environ, **addresses}, check=False).returncode
        finally:
            running.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
