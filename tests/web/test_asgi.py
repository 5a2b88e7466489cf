"""The web process' own part of a request, before Django sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

MEGABYTE = b"x" * 1024 * 1024

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asgi() -> ModuleType:
    # It looks for static files when it is imported.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    from gptbuilder import asgi

    return asgi


def answered(asgi: ModuleType, pieces: int) -> tuple[list[dict[str, Any]], int]:
    """What is sent for a POST of so many megabytes, and how many of them were read."""
    sent: list[dict[str, Any]] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        if read == pieces:
            await asyncio.Event().wait()
        read += 1
        return {"type": "http.request", "body": MEGABYTE, "more_body": read < pieces}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/healthz",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
    }
    asyncio.run(asgi.Handler()(scope, receive, send))
    return sent, read


def test_a_body_without_end_is_not_read_to_its_end(asgi):
    sent, read = answered(asgi, pieces=1000)

    assert sent[0]["status"] == 413
    assert (b"Connection", b"close") in sent[0]["headers"]
    assert sent[1]["body"].decode() == asgi.TOO_LARGE
    assert read == 33


def test_a_large_body_is_read(asgi):
    sent, read = answered(asgi, pieces=32)

    assert sent[0]["status"] != 413
    assert read == 32
