"""HTTP to addresses that people give, within limits: the only way by which the server fetches them."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpcore

from gptbuilder.lib.safe_http import addresses, destinations
from gptbuilder.lib.safe_http._requests import Request, redirected
from gptbuilder.lib.safe_http.decoding import decoder
from gptbuilder.lib.safe_http.destinations import NOTHING_MORE, AllowList, Destination, Resolver
from gptbuilder.lib.safe_http.errors import BadRequest, Garbage, TimedOut, TooLarge, TooManyRedirects, Unreachable
from gptbuilder.lib.safe_http.network import Budget, GuardedBackend, tls_context

CONNECTIONS = 100
IDLE_CONNECTIONS = 20
# Shorter than servers wait: one that hangs up while we ask would look like a failure.
IDLE_SECONDS = 4
FRAMING_BYTES = 65_536


@dataclass(frozen=True)
class Limits:
    """What one fetch may take, redirects included. `body_bytes` are those after decompression; with `cut` a longer
    body ends there, without it the fetch fails. `wire_bytes` are those of one body as sent, by default twice as many.
    With `redirects` 0 a redirect is the response."""

    total_seconds: float = 30
    connect_seconds: float = 10
    header_bytes: int = 65_536
    body_bytes: int = 10 * 1024 * 1024
    wire_bytes: int | None = None
    redirects: int = 5
    cut: bool = False

    @property
    def most_wire_bytes(self) -> int:
        return 2 * self.body_bytes + FRAMING_BYTES if self.wire_bytes is None else self.wire_bytes


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Response:
    """`headers` have lower-case names, repeated ones joined by commas; `body` is decompressed; `url` is where the last
    redirect led."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    url: str

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters; "" if none was said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Client:
    """A pool of connections for any number of threads. No cookies, no proxies, nothing from the environment.

    Every connection is checked when it is made; one that is open stays with the address it was checked for.
    """

    def __init__(
        self,
        allowed: AllowList = NOTHING_MORE,
        *,
        limits: Limits = DEFAULT_LIMITS,
        resolve: Resolver = addresses.resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allowed = allowed
        self.limits = limits
        self._resolve = resolve
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or tls_context(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=GuardedBackend(allowed, resolve),
        )

    def fetch(
        self,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        secret_headers: Collection[str] = (),
        limits: Limits | None = None,
    ) -> Response:
        """The answer, whatever its status. Raises FetchFailed.

        `secret_headers` names those of `headers` that no other origin may see; Authorization and Cookie are among them
        anyway. Redirects to http from https are refused. Anything but GET and HEAD is sent again only within its
        origin and by 307 and 308; a 303, and a POST's 301 and 302, become a GET without the body; other redirects of
        such requests are the response.
        """
        limits = limits or self.limits
        budget = Budget(limits.total_seconds, limits.connect_seconds, limits.header_bytes)
        request = Request.of(method, destinations.parse(url), headers or {}, content, secret_headers)
        for _ in range(limits.redirects + 1):
            answer = self._exchange(request, budget, limits)
            if isinstance(answer, Response):
                return answer
            request = answer
        raise TooManyRedirects("The address leads from one redirect to the next.")

    def check(self, url: str) -> Destination:
        """Where `url` leads, without connecting. Raises FetchFailed."""
        return destinations.check(url, self.allowed, self._resolve)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, request: Request, budget: Budget, limits: Limits) -> Response | Request:
        """One request: its response, or the request it is redirected to."""
        budget.allow_bytes(limits.header_bytes)
        with _failures_told():
            answer = self._pool.handle_request(_on_the_wire(request, budget))
            with contextlib.closing(answer):
                headers = _headers(answer.headers)
                following = redirected(request, answer.status, headers) if limits.redirects else None
                if following is not None:
                    return following
                budget.allow_bytes(limits.most_wire_bytes)
                body, truncated = _body(answer, headers, limits)
        return Response(answer.status, headers, body, truncated, request.destination.url)


def _on_the_wire(request: Request, budget: Budget) -> httpcore.Request:
    there = request.destination
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=there.scheme, host=there.host, port=there.port, target=there.target),
        headers=request.lines(),
        content=request.content,
        # The pool waits by the number; the rest goes to our backend and stream.
        extensions={"timeout": {"pool": budget.seconds(), "connect": budget, "read": budget, "write": budget}},
    )


def _body(answer: httpcore.Response, headers: Mapping[str, str], limits: Limits) -> tuple[bytes, bool]:
    """The body and whether it was cut. Raises TooLarge, Garbage and what reading raises."""
    body = bytearray()
    opened = decoder(headers.get("content-encoding", ""))
    try:
        for piece in answer.iter_stream():
            body += opened.decode(piece, limits.body_bytes + 1 - len(body))
            if len(body) > limits.body_bytes:
                raise TooLarge("The answer is too large.")
    except TooLarge:
        if not limits.cut:
            raise
        return bytes(body[: limits.body_bytes]), True
    opened.finish()
    return bytes(body), False


def _headers(lines: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


@contextlib.contextmanager
def _failures_told() -> Iterator[None]:
    """What httpcore raises in our words, without its own, which quote what was sent or received."""
    try:
        yield
    except httpcore.TimeoutException:
        raise TimedOut("All connections are in use.") from None
    except httpcore.RemoteProtocolError:
        raise Garbage("The answer is not HTTP, or ends too early.") from None
    except httpcore.LocalProtocolError:
        raise BadRequest("The request cannot be sent as HTTP.") from None
    except httpcore.NetworkError:
        raise Unreachable("The connection was lost.") from None
