"""One exchange with a provider over HTTP, its failures told in the words of `errors.py`.

Everything here runs on the network loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import random
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, cast

import aiohttp
import httpx

from gptbuilder.gateway._answer import error_words
from gptbuilder.gateway.errors import Garbage, GatewayError, RateLimited, RefusalCode, Refused, TimedOut, Unreachable
from gptbuilder.gateway.network import CONNECTION, network
from gptbuilder.gateway.types import Provider

MAX_RETRY_AFTER_SECONDS = 30
FIRST_DELAY_SECONDS = 0.25
MAX_ERROR_BYTES = 65_536
MAX_MESSAGE_CHARACTERS = 1_000

# OpenAI, llama.cpp, vLLM and Ollama in this order.
TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|available context size|maximum context length|context window",
    re.IGNORECASE,
)
MODEL_MISSING = re.compile(r"model_not_found|model\b.{0,100}\b(not found|does not exist)", re.IGNORECASE)

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError)


@contextlib.asynccontextmanager
async def opened(
    provider: Provider, method: str, path: str, body: bytes | None = None
) -> AsyncGenerator[httpx.Response, None]:
    """An answer of status 2xx whose body is still to be read. Leaving the context frees the connection.

    Raises GatewayError until the body begins; what reading it raises is for `transport_error`.
    """
    client = network().client
    try:
        request = client.build_request(
            method,
            provider.base_url.rstrip("/") + path,
            content=body,
            headers=_headers(provider),
            # Nobody here knows how long a model may think: the caller limits all but the connection.
            timeout=httpx.Timeout(
                None, connect=provider.connect_timeout_seconds, pool=provider.connect_timeout_seconds
            ),
        )
        response = await client.send(request, stream=True)
    except TRANSPORT_ERRORS as error:
        raise transport_error(error) from None
    try:
        if not response.is_success:
            raise await _status_error(response, provider)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Garbage("The answer is compressed though we asked it not to be.")
        yield response
    finally:
        # A connection that dies while it is being closed is closed.
        with contextlib.suppress(*TRANSPORT_ERRORS):
            await response.aclose()


def body_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it arrives, past httpx's own wrappers, which cost as much as all the rest of a token."""
    return aiter(cast(httpx.AsyncByteStream, response.stream))


async def fetch_json(
    provider: Provider,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    timeout_seconds: float,
    max_bytes: int,
) -> dict[str, Any]:
    """A small exchange, answered by one JSON object; retried like any other."""
    content = None if body is None else json.dumps(body).encode()
    for attempt in range(provider.max_retries + 1):
        try:
            return await _fetch_json_once(provider, method, path, content, timeout_seconds, max_bytes)
        except (Unreachable, RateLimited) as error:
            if attempt == provider.max_retries or not may_wait(error):
                raise
            await asyncio.sleep(delay_seconds(attempt, error))
    raise AssertionError("unreachable")


async def status_of(provider: Provider, url: str, timeout_seconds: float) -> int | None:
    """The status a GET is answered by, or None if there is no answer in time."""
    try:
        async with asyncio.timeout(timeout_seconds):
            response = await network().client.get(url, headers=_headers(provider), timeout=None)
            return response.status_code
    except (*TRANSPORT_ERRORS, TimeoutError):
        return None


@contextlib.contextmanager
def unread(response: httpx.Response) -> Iterator[None]:
    """Let what comes of an answer gather in the system meanwhile: it is read at once then, not piece by piece."""
    transport = response.extensions[CONNECTION]()
    if transport is None:
        yield
        return
    transport.pause_reading()
    try:
        yield
    finally:
        if not transport.is_closing():
            transport.resume_reading()


def transport_error(error: Exception) -> Unreachable | TimedOut | Garbage:
    """What an exception of httpx, or of aiohttp below it, means to us."""
    if isinstance(error, aiohttp.ClientResponseError | httpx.RemoteProtocolError):
        return Garbage("The answer is not HTTP.")
    # The transport calls every lost connection a ConnectTimeout; only its cause tells them apart.
    if isinstance(error, httpx.TimeoutException) and isinstance(error.__cause__, TimeoutError):
        return TimedOut("connect")
    return Unreachable(f"{type(error.__cause__ or error).__name__}: {error}")


def error_from(status: int, message: str, provider: Provider, retry_after: float | None = None) -> GatewayError:
    """The error an upstream's status stands for, also when it came inside a stream."""
    message = without_key(message, provider)
    if status == 429:
        return RateLimited(retry_after)
    if 400 <= status < 500:
        code = _refusal_code(status, message)
        # The message about a wrong key quotes parts of it.
        return Refused(status, "" if code == "unauthorized" else message, code)
    if status >= 500:
        return Unreachable(f"{status}: {message}", status, retry_after)
    return Garbage(f"status {status}")


def without_key(message: str, provider: Provider) -> str:
    if provider.api_key:
        message = message.replace(provider.api_key, "…")
    return message[:MAX_MESSAGE_CHARACTERS]


def may_wait(error: Unreachable | RateLimited) -> bool:
    return error.retry_after is None or error.retry_after <= MAX_RETRY_AFTER_SECONDS


def delay_seconds(attempt: int, error: Unreachable | RateLimited) -> float:
    """How long to wait before attempt `attempt` + 2: what the upstream asked, or twice as long each time."""
    back_off: float = FIRST_DELAY_SECONDS * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - no secret
    return max(back_off, error.retry_after or 0)


async def _fetch_json_once(
    provider: Provider, method: str, path: str, content: bytes | None, timeout_seconds: float, max_bytes: int
) -> dict[str, Any]:
    data = b""
    try:
        async with asyncio.timeout(timeout_seconds), opened(provider, method, path, content) as response:
            async for piece in body_of(response):
                data += piece
                if len(data) > max_bytes:
                    raise Garbage("The answer is too long.")
        answer = json.loads(data)
    except TimeoutError:
        raise TimedOut("first_token") from None
    except TRANSPORT_ERRORS as error:
        raise transport_error(error) from None
    except (ValueError, RecursionError):
        raise Garbage("The answer is not JSON.") from None
    if not isinstance(answer, dict):
        raise Garbage("The answer is not a JSON object.")
    return answer


async def _status_error(response: httpx.Response, provider: Provider) -> GatewayError:
    data = b""
    with contextlib.suppress(*TRANSPORT_ERRORS):
        async for piece in body_of(response):
            data += piece
            if len(data) > MAX_ERROR_BYTES:
                break
    retry_after = _retry_after_seconds(response.headers.get("retry-after"))
    return error_from(response.status_code, _message(data), provider, retry_after)


def _message(data: bytes) -> str:
    """What an error's body says: the `error` member of a JSON object, or the body itself."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(text)
        if isinstance(value, dict) and "error" in value:
            return error_words(value["error"])
    return text


def _refusal_code(status: int, message: str) -> RefusalCode:
    if status in (401, 403):
        return "unauthorized"
    if TOO_LONG.search(message):
        return "too_long"
    if status == 404 or MODEL_MISSING.search(message):
        return "model_missing"
    return "refused"


def _retry_after_seconds(value: str | None) -> float | None:
    """Reads both forms of RFC 9110, 10.2.3: seconds, or a date."""
    if not value:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    with contextlib.suppress(ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _headers(provider: Provider) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "gptbuilder"}
    if provider.api_key:
        headers["Authorization"] = f"Bearer {provider.api_key}"
    return headers
