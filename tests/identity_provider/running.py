"""Starts and stops the identity provider around a test."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gptbuilder.embedded import places
from tests.waiting import until

SECRET = "a client secret"


@contextmanager
def identity_provider(folder: Path, redirects: str, port: int = 0) -> Iterator[str]:
    """The address of a provider that sends people back to `redirects` (separated by spaces)."""
    port = port or places.free_port()
    environment = {
        **os.environ,
        "IDENTITY_PROVIDER_FOLDER": str(folder),
        "IDENTITY_PROVIDER_REDIRECTS": redirects,
    }
    process = subprocess.Popen([sys.executable, "-m", "tests.identity_provider", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or _answers(address), seconds=60)
        assert process.poll() is None, "the identity provider ended"
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def entry(address: str, **more: object) -> dict[str, object]:
    """What OIDC_PROVIDERS says of it."""
    return {
        "id": "lakeside",
        "name": "Lakeside",
        "server_url": f"{address}/o",
        "client_id": "gptbuilder",
        "secret": SECRET,
        "client_secret": SECRET,
        **more,
    }


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/o/.well-known/openid-configuration", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
