"""A model's endpoint for tests and benchmarks: a real HTTP server that speaks the OpenAI protocol.

Tests script its replies (`ScriptedUpstream`); benchmarks start it as a process of its own:
`python -m tests.upstream --port 9000 --tokens 100 --interval-ms 20 --first-ms 100 [--uds PATH]`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import concurrent.futures
import contextlib
import json
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self, cast

import uvloop

# --- What a test can have it reply ---------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """An answer, word by word. `finish_reason` None leaves it out, as `usage` and `done` do."""

    text: str
    token_delay: float = 0
    first_delay: float = 0
    finish_reason: str | None = "stop"
    usage: bool = True
    done: bool = True


@dataclass(frozen=True)
class Pieces:
    """An answer in these pieces: the first at once, each further one when the test says `go_on`."""

    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def written(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class ToolCalls:
    """Calls of (name, arguments); streamed in pieces, all calls taking turns."""

    calls: Iterable[Call | tuple[str, dict[str, Any] | str]]
    text: str = ""


@dataclass(frozen=True)
class Json:
    """An answer to a request with a response format."""

    value: Any


@dataclass(frozen=True)
class Status:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Hang:
    """Say nothing more: before the first token (0, or "before_first"), or after so many."""

    after: int | Literal["before_first"] = 0


@dataclass(frozen=True)
class Die:
    """Drop the connection after so many tokens."""

    after: int = 0


@dataclass(frozen=True)
class Garbage:
    """These bytes as the body of a 200, in these pieces."""

    body: bytes | tuple[bytes, ...]
    content_type: str = "text/event-stream"


Reply = Text | Pieces | ToolCalls | Json | Status | Hang | Die | Garbage
Replying = Reply | Callable[[dict[str, Any]], Reply]
GREETING = Text("Hello from the scripted model.")


class ScriptedUpstream:
    """Serves on a loopback port while its context lasts. `url` is a provider's base URL.

    Each chat request takes the next scripted reply, or else `default`. `requests` holds the parsed
    bodies of chat requests, `paths` every request's "METHOD path", in order of arrival.
    """

    def __init__(self, *replies: Reply) -> None:
        self.default: Replying = GREETING
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.models = ["scripted"]
        self.image: dict[str, Any] | None = None
        self.statuses: dict[str, int] = {}
        self.url = ""
        self._replies = deque(replies)
        self._connections: set[_Connection] = set()
        self._changed = threading.Condition()
        self._loop = uvloop.new_event_loop()
        self._hurry = asyncio.Event()
        self._steps = asyncio.Semaphore(0)
        self._ready: concurrent.futures.Future[int] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._serve, name="scripted-upstream", daemon=True)

    def script(self, *replies: Reply) -> None:
        self._replies.extend(replies)

    def hurry(self) -> None:
        """From now on no answer pauses between its words."""
        self._loop.call_soon_threadsafe(self._hurry.set)

    def go_on(self) -> None:
        """Let an answer in pieces say its next one, or end."""
        self._loop.call_soon_threadsafe(self._steps.release)

    async def step(self) -> None:
        await self._steps.acquire()

    async def pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    def forget(self) -> None:
        """As if it had just started: nothing scripted, nothing asked."""
        self._steps = asyncio.Semaphore(0)
        self._loop.call_soon_threadsafe(self._hurry.clear)
        self._replies.clear()
        self.requests.clear()
        self.headers.clear()
        self.paths.clear()
        self.default = GREETING

    @property
    def open_connections(self) -> int:
        """Connections on which an answer is under way; idle ones kept alive do not count."""
        with self._changed:
            return sum(connection.is_answering for connection in self._connections)

    @property
    def connections(self) -> int:
        """All connections, idle ones too."""
        with self._changed:
            return len(self._connections)

    def wait_for_open_connections(self, count: int, timeout_seconds: float = 10) -> bool:
        """Wait until so many answers are under way; false if it never happens."""
        return self._wait_for(lambda: self.open_connections == count, timeout_seconds)

    def wait_for_requests(self, count: int, timeout_seconds: float = 10) -> bool:
        return self._wait_for(lambda: len(self.requests) >= count, timeout_seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._ready.result(timeout=10)}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def next_reply(self, body: dict[str, Any]) -> Reply:
        if self._replies:
            return self._replies.popleft()
        return self.default(body) if callable(self.default) else self.default

    def notice(self, change: Callable[[], None]) -> None:
        """Change what tests look at, and wake those that wait for it."""
        with self._changed:
            change()
            self._changed.notify_all()

    def _wait_for(self, is_so: Callable[[], bool], timeout_seconds: float) -> bool:
        with self._changed:
            return bool(self._changed.wait_for(is_so, timeout_seconds))

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = cast(
            asyncio.Server,
            self._loop.run_until_complete(
                self._loop.create_server(lambda: _Connection(self, self._connections), "127.0.0.1", 0)
            ),
        )
        self._ready.set_result(server.sockets[0].getsockname()[1])
        self._loop.run_forever()
        self._loop.run_until_complete(self._shut_down(server))
        self._loop.close()

    async def _shut_down(self, server: asyncio.Server) -> None:
        server.close()
        for connection in tuple(self._connections):
            connection.transport.abort()
        work = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


# --- HTTP, by hand -------------------------------------------------------------------------------


class _Http(asyncio.Protocol):
    """Just enough of HTTP/1.1: requests with Content-Length, one after the other."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            size = int(headers.get("content-length", 0))
            if len(self._received) < end + 4 + size:
                return
            body = bytes(self._received[end + 4 : end + 4 + size])
            del self._received[: end + 4 + size]
            method, target, _ = head[0].split(" ")
            self.respond(method, target, headers, body)

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        raise NotImplementedError

    def send(self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Status'}", f"Content-Type: {content_type}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)

    def send_json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(value).encode(), "application/json", headers)

    def begin(self, content_type: str = "text/event-stream") -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.transport.write(head.encode())


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


END = _chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _event(value: dict[str, Any]) -> bytes:
    return _chunked(b"data: " + json.dumps(value).encode() + b"\n\n")


# --- The scripted server's side of a connection --------------------------------------------------


class _Connection(_Http):
    def __init__(self, server: ScriptedUpstream, connections: set[_Connection]) -> None:
        super().__init__()
        self.is_answering = False
        self._server = server
        self._connections = connections
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.notice(lambda: self._connections.add(self))

    def connection_lost(self, error: Exception | None) -> None:
        if self._work is not None:
            self._work.cancel()
        self._server.notice(lambda: self._connections.discard(self))

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        server = self._server
        server.paths.append(f"{method} {path}")
        if path in server.statuses:
            return self.send_json({"error": {"message": "scripted"}}, server.statuses[path])
        match path:
            case "/v1/chat/completions":
                request = json.loads(body)
                self._work = asyncio.get_running_loop().create_task(self._chat(request, headers))
            case "/v1/models":
                self.send_json({"object": "list", "data": [{"id": name, "object": "model"} for name in server.models]})
            case "/v1/images/generations":
                picture = base64.b64encode(png()).decode()
                self.send_json(server.image or {"created": 0, "data": [{"b64_json": picture}]})
            case _:
                self.send_json({"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}, 404)
        return None

    async def _chat(self, request: dict[str, Any], headers: dict[str, str]) -> None:
        def arrived() -> None:
            self.is_answering = True
            self._server.requests.append(request)
            self._server.headers.append(headers)

        def answered() -> None:
            self.is_answering = False

        self._server.notice(arrived)
        try:
            reply = self._server.next_reply(request)
            if isinstance(reply, Text | ToolCalls | Json) and not request.get("stream"):
                self.send_json(whole(reply, request))
            else:
                await self._reply(reply, request)
        except RuntimeError:
            # uvloop, when the other side has gone in the middle of the answer.
            if not self.transport.is_closing():
                raise
        finally:
            self._server.notice(answered)

    async def _reply(self, reply: Reply, request: dict[str, Any]) -> None:
        match reply:
            case Status(status, headers, body):
                self.send_json(body if body is not None else {"error": {"message": "scripted"}}, status, headers)
            case Garbage(body, content_type):
                self.begin(content_type)
                for piece in (body,) if isinstance(body, bytes) else body:
                    self.transport.write(_chunked(piece))
                    # Let each piece leave by itself.
                    await asyncio.sleep(0.002)
                self.transport.write(b"0\r\n\r\n")
            case Die(0):
                self.transport.abort()
            case Die(after):
                self._words(after)
                await asyncio.sleep(0.01)
                self.transport.abort()
            case Hang(after):
                self._words(0 if after == "before_first" else after)
                await asyncio.Event().wait()
            case Text() | Pieces() | Json() | ToolCalls():
                await self._stream(reply, request)

    def _words(self, count: int) -> None:
        self.begin()
        self.transport.write(_event(chunk({"role": "assistant"})))
        for number in range(count):
            self.transport.write(_event(chunk({"content": f"word{number} "})))

    async def _stream(self, reply: Text | Pieces | Json | ToolCalls, request: dict[str, Any]) -> None:
        text = reply if isinstance(reply, Text) else Text("")
        if text.first_delay:
            await asyncio.sleep(text.first_delay)
        self.begin()
        self.transport.write(_event(chunk({"role": "assistant", "content": ""})))
        deltas = _deltas(reply)
        for number, delta in enumerate(deltas):
            if number and isinstance(reply, Pieces):
                await self._server.step()
            if number and text.token_delay:
                await self._server.pause(text.token_delay)
            token: dict[str, Any] = {"token": delta.get("content"), "logprob": -0.1, "top_logprobs": []}
            self.transport.write(
                _event(chunk(delta, logprobs={"content": [token]} if request.get("logprobs") else None))
            )
        if isinstance(reply, Pieces):
            await self._server.step()
        finish_reason = "tool_calls" if isinstance(reply, ToolCalls) else text.finish_reason
        if finish_reason is not None:
            self.transport.write(_event(chunk({}, finish_reason)))
        if text.usage and (request.get("stream_options") or {}).get("include_usage"):
            self.transport.write(_event({**chunk({}), "choices": [], "usage": usage(request, len(deltas))}))
        self.transport.write(END if text.done else b"0\r\n\r\n")


def chunk(delta: dict[str, Any], finish_reason: str | None = None, logprobs: Any = None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    if logprobs is not None:
        choice["logprobs"] = logprobs
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }


def usage(request: dict[str, Any], output_tokens: int) -> dict[str, Any]:
    """A word is a token here."""
    input_tokens = sum(len(str(message.get("content") or "").split()) for message in request["messages"])
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def whole(reply: Text | ToolCalls | Json, request: dict[str, Any]) -> dict[str, Any]:
    """The same reply, unstreamed."""
    deltas = _deltas(reply)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(delta.get("content", "") for delta in deltas)}
    if isinstance(reply, ToolCalls):
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": {"name": call.name, "arguments": call.written}}
            for number, call in enumerate(_calls(reply))
        ]
    reason = "tool_calls" if isinstance(reply, ToolCalls) else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
        "usage": usage(request, len(deltas)),
    }


def _deltas(reply: Text | Pieces | ToolCalls | Json) -> list[dict[str, Any]]:
    match reply:
        case Pieces(pieces):
            return [{"content": piece} for piece in pieces]
        case Json(value):
            return [{"content": piece} for piece in _pieces(json.dumps(value, ensure_ascii=False))]
        case Text(text):
            return [{"content": piece} for piece in _words_of(text)]
        case ToolCalls(_, text):
            return [{"content": piece} for piece in _words_of(text)] + _call_deltas(_calls(reply))


def _call_deltas(calls: list[Call]) -> list[dict[str, Any]]:
    def delta(index: int, function: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **more, "function": function}]}

    heads = [
        delta(index, {"name": call.name, "arguments": ""}, id=call.id or f"call_{index}", type="function")
        for index, call in enumerate(calls)
    ]
    pieces = [
        [delta(index, {"arguments": piece}) for piece in _pieces(call.written)] for index, call in enumerate(calls)
    ]
    longest = max((len(piece) for piece in pieces), default=0)
    return heads + [piece[turn] for turn in range(longest) for piece in pieces if turn < len(piece)]


def _calls(reply: ToolCalls) -> list[Call]:
    return [call if isinstance(call, Call) else Call(*call) for call in reply.calls]


def _words_of(text: str) -> list[str]:
    return [word for word in text.replace(" ", " \x1f").split("\x1f") if word]


def _pieces(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def png(size: int = 8) -> bytes:
    """A valid picture, one colour."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x2f\x6f\xeb" * size for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


# --- The benchmark's server ----------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    tokens: int
    interval_seconds: float
    first_seconds: float


class Clockwork:
    """Sends a token to every stream each interval. One timer turns four buckets for all streams.

    A stream is moved by at most a quarter of an interval, once, at its start.
    """

    BUCKETS = 4

    def __init__(self, loop: asyncio.AbstractEventLoop, pace: Pace) -> None:
        self._loop = loop
        self._pace = pace
        self._buckets: list[dict[_PacedConnection, int]] = [{} for _ in range(self.BUCKETS)]
        self._turn = 0
        self._due = loop.time()
        self._is_running = False

    def start(self, connection: _PacedConnection) -> None:
        self._loop.call_later(self._pace.first_seconds, self._first, connection)

    def stop(self, connection: _PacedConnection) -> None:
        for bucket in self._buckets:
            bucket.pop(connection, None)

    def _first(self, connection: _PacedConnection) -> None:
        if connection.transport.is_closing():
            return
        connection.transport.write(HEAD + TOKEN)
        self._buckets[(self._turn - 1) % self.BUCKETS][connection] = self._pace.tokens - 1
        if not self._is_running:
            self._is_running = True
            self._due = self._loop.time()
            self._plan()

    def _plan(self) -> None:
        self._due += self._pace.interval_seconds / self.BUCKETS
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        bucket = self._buckets[self._turn]
        self._turn = (self._turn + 1) % self.BUCKETS
        for connection, left in list(bucket.items()):
            if left > 1:
                connection.transport.write(TOKEN)
                bucket[connection] = left - 1
            else:
                del bucket[connection]
                connection.finish(TOKEN * left, self._pace.tokens)
        self._is_running = any(self._buckets)
        if self._is_running:
            self._plan()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOKEN = _event(chunk({"content": "token "}))


class _PacedConnection(_Http):
    def __init__(self, clockwork: Clockwork, pace: Pace) -> None:
        super().__init__()
        self._clockwork = clockwork
        self._pace = pace
        self._request: dict[str, Any] = {}

    def connection_lost(self, error: Exception | None) -> None:
        self._clockwork.stop(self)

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        if path == "/v1/models":
            return self.send_json({"object": "list", "data": [{"id": "paced", "object": "model"}]})
        if path != "/v1/chat/completions":
            return self.send_json({"error": {"message": "File Not Found", "code": 404}}, 404)
        self._request = json.loads(body)
        if self._request.get("stream"):
            self._clockwork.start(self)
        else:
            self.send_json(whole(Text("token " * self._pace.tokens), self._request))
        return None

    def finish(self, rest: bytes, tokens: int) -> None:
        end = rest + _event(chunk({}, "stop"))
        if (self._request.get("stream_options") or {}).get("include_usage"):
            end += _event({**chunk({}), "choices": [], "usage": usage(self._request, tokens)})
        self.transport.write(end + END)


async def _serve(port: int, uds: str | None, pace: Pace) -> None:
    loop = asyncio.get_running_loop()
    clockwork = Clockwork(loop, pace)

    def connection() -> _PacedConnection:
        return _PacedConnection(clockwork, pace)

    if uds is not None:
        server = await loop.create_unix_server(connection, uds, backlog=4096)
    else:
        server = await loop.create_server(connection, "127.0.0.1", port, backlog=4096)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this line
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--uds")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--interval-ms", type=float, default=20)
    parser.add_argument("--first-ms", type=float, default=100)
    options = parser.parse_args()
    pace = Pace(options.tokens, options.interval_ms / 1000, options.first_ms / 1000)
    uvloop.run(_serve(options.port, options.uds, pace))


if __name__ == "__main__":
    main()
