"""The web process: Django, its static files, and the streams of runs."""

import os
import re
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptbuilder.settings")
django.setup(set_prefix=False)

from servestatic import ServeStaticASGI  # noqa: E402

from django.conf import settings  # noqa: E402

import gptbuilder.celery  # noqa: E402, F401

STREAMS = re.compile(r"^/runs/[^/]+/events$")


class StreamHandler(ASGIHandler):
    """Django's handler for responses that stay open: without the thread that it holds for each of them."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self.handle(scope, receive, send)


pages = ServeStaticASGI(ASGIHandler(), root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
streams = StreamHandler()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    handler = streams if scope["type"] == "http" and STREAMS.match(scope["path"]) else pages
    await handler(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
