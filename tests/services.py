"""Starts PostgreSQL and Redis before Django reads its settings; a pytest plugin, named in pyproject.

With DATABASE_URL and REDIS_URL given, those are used. Tests that run side by side have services of their own, or of the
given ones a database of their own.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptbuilder.embedded import services

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    # Who only hands the tests to workers runs none.
    if WORKER or not early_config.known_args_namespace.numprocesses:
        prepare()
    yield


def prepare() -> None:
    folder = Path(tempfile.mkdtemp(prefix="gptbuilder-tests-", dir="/tmp"))
    # Registered before the services are, so it runs after they have stopped.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.setdefault("GPTBUILDER_HOME", str(folder))
    os.environ.setdefault("DATABASE_POOL", "8")
    os.environ.setdefault("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    os.environ.setdefault("OPENAI_API_KEY", "test-key")
    os.environ.setdefault("OPENAI_MODEL", "scripted")
    if WORKER and (given := os.environ.get("REDIS_URL")):
        os.environ["REDIS_URL"] = f"{given}{'&' if '?' in given else '?'}db={WORKER.removeprefix('gw')}"
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        started = services.start(folder)
        os.environ.setdefault("DATABASE_URL", started.database_url)
        os.environ.setdefault("REDIS_URL", started.redis_url)
