"""The Django half seen from outside: its processes, the steps before they start, and when a step can be left out."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from gptbuilder.embedded.children import Child
from gptbuilder.embedded.places import write_atomically

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
MANAGE = [PYTHON, "manage.py"]
# Runs wait for the network nearly all their lives, so one process holds hundreds of them.
RUN_THREADS = 500
WORKER_FLAGS = ["--without-gossip", "--without-mingle"]
# Of the many threads only one runs Python at a time: they need no memory of their own to allocate from.
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


def children(home: Path, host: str, port: int) -> list[Child]:
    """In the order of starting. The workers get some seconds to put runs back when they are stopped."""
    return [
        _child(
            "web",
            "uvicorn", "gptbuilder.asgi:application", "--host", host, "--port", str(port), "--no-access-log",
            "--loop", "uvloop", "--http", "httptools", "--timeout-graceful-shutdown", "3",
            # The application counts the proxies it trusts itself (TRUSTED_PROXIES).
            "--no-proxy-headers", "--log-level", "warning",
        ),
        _child("runs", *_worker("runs"), "--pool", "threads", "--concurrency", str(RUN_THREADS)),
        _child(
            "indexing", *_worker("indexing,default"), "--pool", "threads", "--concurrency", "4",
            "--clock", str(home / "beat-schedule"),
        ),
    ]  # fmt: skip


def migrate() -> Child:
    return Child("migrate", [*MANAGE, "migrate", "--noinput"], folder=ROOT)


def collectstatic() -> Child:
    return Child("collectstatic", [*MANAGE, "collectstatic", "--noinput"], folder=ROOT)


def signin_link(base_url: str, file: Path) -> Child:
    return Child("signin_link", [*MANAGE, "signin_link", "--base", base_url, "--file", str(file)], folder=ROOT)


class Stamp:
    """Remembers what a step was done for, so that it is left out while nothing has changed."""

    def __init__(self, file: Path, *sources: str) -> None:
        self._file = file
        self._fingerprint = _fingerprint(path for pattern in sources for path in ROOT.glob(pattern))

    @property
    def is_current(self) -> bool:
        return self._file.exists() and self._file.read_text() == self._fingerprint

    def renew(self) -> None:
        write_atomically(self._file, self._fingerprint)


def migrations_stamp(database_folder: Path) -> Stamp:
    """Kept beside the data it speaks of, so that it goes with them."""
    return Stamp(database_folder / "migrated", "*/*/migrations/*.py", "requirements*.lock")


def static_stamp(home: Path) -> Stamp:
    sources = (
        "static/**/*",
        "*/*/static/**/*",
        "requirements*.lock",
        "gptbuilder/settings.py",
        "gptbuilder/web/storage.py",
    )
    return Stamp(home / "static" / ".collected", *sources)


def _fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}".encode())
    for path in sorted(set(paths)):
        if path.is_file():
            found = path.stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _child(name: str, module: str, *arguments: str) -> Child:
    return Child(name, [PYTHON, "-m", module, *arguments], FEW_ARENAS, folder=ROOT)


def _worker(queues: str) -> list[str]:
    name = queues.partition(",")[0]
    return ["celery", "--app", "gptbuilder", "worker", "--queues", queues, "--hostname", f"{name}@%h", *WORKER_FLAGS]
