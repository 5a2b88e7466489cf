"""The outermost middleware: a name for every request, and the headers Django has no setting for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from gptbuilder.web import logs

# What a proxy may hand us: nothing that could forge a log line or a header.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


@sync_and_async_middleware
def RequestIdMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Takes over a well-formed X-Request-ID or makes one; answers with it. A stream's view stays asynchronous."""
    if iscoroutinefunction(get_response):
        respond = cast("Callable[[HttpRequest], Awaitable[HttpResponseBase]]", get_response)

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            identifier = _identify(request)
            token = logs.request_id.set(identifier)
            try:
                return _sign(await respond(request), identifier)
            finally:
                logs.request_id.reset(token)

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        identifier = _identify(request)
        token = logs.request_id.set(identifier)
        try:
            return _sign(get_response(request), identifier)
        finally:
            logs.request_id.reset(token)

    return synchronous


def _identify(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    identifier = given if ACCEPTABLE.fullmatch(given) else secrets.token_hex(8)
    request.id = identifier  # type: ignore[attr-defined]
    return identifier


def _sign(response: HttpResponseBase, identifier: str) -> HttpResponseBase:
    response.headers["X-Request-ID"] = identifier
    response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    return response
