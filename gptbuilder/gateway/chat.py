"""Asks a model for an answer and streams it.

The network loop reads and parses; the thread that asked is handed batches and may stay synchronous.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
from types import TracebackType
from typing import Self

import httpx

from gptbuilder.gateway import _http
from gptbuilder.gateway._answer import Answer, ErrorReply
from gptbuilder.gateway._sse import payloads
from gptbuilder.gateway._wire import Dialect, chat_body
from gptbuilder.gateway.errors import Broken, Closed, Garbage, GatewayError, RateLimited, Refused, TimedOut, Unreachable
from gptbuilder.gateway.network import network, run_coroutine
from gptbuilder.gateway.types import ChatRequest, Completion, Delta, ModelEntry, Provider, TextDelta

# How long to wait for token counts and the end mark once the model has said that it is done.
ENDING_SECONDS = 2
# A batch this big means that more is waiting, which should not wait for the tick.
FULL_BATCH_BYTES = 8_000
READY_SECONDS = 2
MODELS_SECONDS = 15
MAX_MODELS_BYTES = 4_000_000


def stream(entry: ModelEntry, request: ChatRequest) -> ChatStream:
    """Send `request` at once. See ChatStream; leave it by its context or by `close`."""
    return ChatStream(entry, request)


def complete(entry: ModelEntry, request: ChatRequest) -> Completion:
    """The whole answer. Raises GatewayError."""
    with stream(entry, request) as deltas:
        for delta in deltas:
            if isinstance(delta, Completion):
                return delta
    raise AssertionError("A stream ends with a completion or an error.")


def models(provider: Provider) -> list[str]:
    """The names of the models the provider offers. Raises GatewayError."""
    answer = run_coroutine(
        _http.fetch_json(provider, "GET", "/models", timeout_seconds=MODELS_SECONDS, max_bytes=MAX_MODELS_BYTES)
    ).result()
    try:
        return [str(model["id"]) for model in answer["data"]]
    except (KeyError, TypeError):
        raise Garbage("The list of models is not of the protocol.") from None


def is_ready(provider: Provider) -> bool:
    """Whether the provider would answer now; known within four seconds. Raises nothing."""
    return run_coroutine(_is_ready(provider)).result()


class ChatStream:
    """An iterator of text deltas that ends with exactly one Completion, or raises GatewayError.

    The first delta comes at once, later ones in batches, at most one per tick of the network.
    One thread iterates; `close` may be called by any thread at any time, ends the upstream's work
    promptly and makes the iterator raise Closed. A connection that cannot be made, 429 and 5xx are
    tried again until the answer has begun.
    """

    def __init__(self, entry: ModelEntry, request: ChatRequest) -> None:
        self._entry = entry
        self._request = request
        self._answer = Answer()
        self._handed: queue.SimpleQueue[Delta | Exception] = queue.SimpleQueue()
        self._is_answered = False
        self._is_consumed = False
        self._is_closed = False
        # The body of a request with pictures takes long to make: not on the loop, which all streams share.
        self._dialect = _dialects.get(_dialect_key(entry), Dialect())
        self._body = json.dumps(chat_body(entry, request, self._dialect)).encode()
        self._work = run_coroutine(self._hand_over())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Delta:
        if self._is_consumed:
            raise StopIteration
        if self._is_closed:
            raise Closed
        item = self._handed.get()
        if self._is_closed:
            raise Closed
        match item:
            case TextDelta():
                return item
            case Completion():
                self._is_consumed = True
                return item
            case error:
                self._is_consumed = True
                raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._is_closed or self._is_consumed:
            return
        self._is_closed = True
        self._handed.put(Closed())
        if not self._is_answered:
            self._work.cancel()

    async def _hand_over(self) -> None:
        try:
            await self._converse()
        except Exception as error:  # noqa: BLE001 - raised by the thread that asked
            if not self._is_answered:
                # Tracebacks hold the frames of the loop, and these the request's headers.
                error.__context__ = error.__cause__ = None
                self._handed.put(error.with_traceback(None))

    async def _converse(self) -> None:
        retries = 0
        while True:
            try:
                return await self._attempt()
            except Refused as refusal:
                dialect = self._dialect.after(refusal)
                if dialect is None:
                    raise
                self._dialect = _dialects[_dialect_key(self._entry)] = dialect
                self._body = json.dumps(chat_body(self._entry, self._request, dialect)).encode()
            except (Unreachable, RateLimited) as error:
                if retries == self._entry.provider.max_retries or not _http.may_wait(error):
                    raise
                await asyncio.sleep(_http.delay_seconds(retries, error))
                retries += 1

    async def _attempt(self) -> None:
        self._answer = Answer()
        provider = self._entry.provider
        try:
            async with (
                asyncio.timeout(provider.first_token_timeout_seconds) as deadline,
                _http.opened(provider, "POST", "/chat/completions", self._body) as response,
            ):
                await self._read(response, deadline)
        except TimeoutError:
            self._end(TimedOut("idle" if self._answer.has_begun else "first_token"))
        except _http.TRANSPORT_ERRORS as error:
            self._end(_http.transport_error(error))
        except ErrorReply as reply:
            raise self._error_from(reply) from None

    async def _read(self, response: httpx.Response, deadline: asyncio.Timeout) -> None:
        net = network()
        answer = self._answer
        async with contextlib.aclosing(payloads(_http.body_of(response))) as batches:
            async for batch in batches:
                if self._is_answered:
                    # Only reading to the very end lets the connection be used again.
                    continue
                if self._take(batch):
                    self._finish()
                    deadline.reschedule(net.loop.time() + ENDING_SECONDS)
                elif batch and (answer.has_begun or answer.finish_reason):
                    self._be_patient(deadline, net.loop.time())
                    if sum(map(len, batch)) < FULL_BATCH_BYTES:
                        with _http.unread(response):
                            await net.tick()
        self._end(Garbage("The answer holds no event.") if answer.is_empty else Unreachable("The stream ended early."))

    def _take(self, batch: list[bytes]) -> bool:
        """Hand on the text of some events; true at the end mark."""
        texts: list[str] = []
        is_end = False
        for payload in batch:
            if payload == b"[DONE]":
                is_end = True
                break
            if payload:
                texts.append(self._answer.add(payload))
        if text := "".join(texts):
            self._handed.put(TextDelta(text))
        return is_end

    def _be_patient(self, deadline: asyncio.Timeout, now: float) -> None:
        """Give the upstream its time anew; up to a twentieth less, so that not every batch sets a timer."""
        seconds = self._patience_seconds()
        if abs(now + seconds - (deadline.when() or 0)) > seconds / 20:
            deadline.reschedule(now + seconds)

    def _patience_seconds(self) -> float:
        return ENDING_SECONDS if self._answer.finish_reason else self._entry.provider.idle_timeout_seconds

    def _end(self, error: GatewayError) -> None:
        """The stream is over without its end mark: well if the model had said that it is done."""
        if self._is_answered:
            return
        if self._answer.finish_reason is not None:
            self._finish()
        elif self._answer.has_begun and isinstance(error, Unreachable):
            raise Broken(str(error))
        else:
            raise error

    def _finish(self) -> None:
        if not self._is_answered:
            completion = self._answer.completion(self._request)
            self._is_answered = True
            self._handed.put(completion)

    def _error_from(self, reply: ErrorReply) -> GatewayError:
        if self._answer.has_begun:
            return Broken(_http.without_key(reply.words, self._entry.provider))
        return _http.error_from(reply.status, reply.words, self._entry.provider)


async def _is_ready(provider: Provider) -> bool:
    # llama.cpp lists its models while it still loads them; only its health, above /v1, tells.
    base = provider.base_url.rstrip("/")
    health = await _http.status_of(provider, f"{base.removesuffix('/v1')}/health", READY_SECONDS)
    if health is None or health == 503:
        return False
    return await _http.status_of(provider, f"{base}/models", READY_SECONDS) == 200


def _dialect_key(entry: ModelEntry) -> tuple[str, str]:
    return entry.provider.base_url, entry.name


_dialects: dict[tuple[str, str], Dialect] = {}
