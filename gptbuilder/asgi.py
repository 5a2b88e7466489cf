"""The web process: Django, its static files, and the streams of runs."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptbuilder.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.core.signals import request_started  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import set_script_prefix  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

import gptbuilder.celery  # noqa: E402, F401
from gptbuilder.conversations.hub import hub  # noqa: E402
from gptbuilder.lib import garbage  # noqa: E402
from gptbuilder.web import presence  # noqa: E402

# As many as connections of the database's pool: a request needs one nearly all the time.
THREADS = 16
# Larger files come in pieces. Whoever sends more fills nobody's disk.
BODY_BYTES = 32 * 1024 * 1024
TOO_LARGE = "This request is too large. / 请求过大。"


class Limited:
    """The messages of a request, until its body goes on beyond BODY_BYTES: then as if the client had gone."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._bytes = 0

    @property
    def is_exceeded(self) -> bool:
        return self._bytes > BODY_BYTES

    async def __call__(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._receive()
        self._bytes += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_exceeded else message


class Handler(ASGIHandler):
    """Django's handler, but the whole of a request runs in one thread of a pool, as behind WSGI.

    Django's own makes a thread for each request, hops between it and the loop twice for every middleware, and
    holds it as long as the response is open. Here every view is synchronous; one whose response stays open returns
    an asynchronous iterator, which the loop follows without a thread and without a database connection.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        limited = Limited(receive)
        try:
            body = await self.read_body(limited)
        except RequestAborted:
            if limited.is_exceeded:
                refusal = HttpResponse(TOO_LARGE, status=413, content_type="text/plain; charset=utf-8")
                # What still comes is not read.
                refusal["Connection"] = "close"
                await self.send_response(refusal, send)
            return
        response = await asyncio.get_running_loop().run_in_executor(self._threads, self._respond, scope, body)
        if response.streaming:
            await self._send_while_wanted(response, receive, send)
        else:
            await self.send_response(response, send)

    def _respond(self, scope: dict[str, Any], body: Any) -> Any:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        with body:
            request, refusal = self.create_request(scope, body)
            response: Any = self.get_response(request) if request else refusal
        if response.streaming:
            connections.close_all()
        else:
            response.close()
        return response

    async def _send_while_wanted(self, response: Any, receive: Any, send: Any) -> None:
        """Send a response until its end, or until the client has gone."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        # After the request's body there is nothing to receive but its end.
        going = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({sending, going}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            going.cancel()
            await asyncio.wait({sending, going})
            response.close()


handler = ServeStaticASGI(Handler(), root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (lifespan(receive, send) if scope["type"] == "lifespan" else handler(scope, receive, send))


async def lifespan(receive: Any, send: Any) -> None:
    garbage.settle()
    living = asyncio.create_task(presence.keep(presence.WEB, lambda: hub().open_streams))
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            living.cancel()
            return
