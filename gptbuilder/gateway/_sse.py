"""Takes server-sent events apart, as far as the OpenAI protocol uses them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from gptbuilder.gateway.errors import Garbage

MAX_LINE_BYTES = 4_000_000


class EventLines:
    """Turns bytes, cut anywhere, into the payloads of `data:` lines.

    Each line is an event of its own: some servers leave out the blank line between two. Comments,
    other fields and blank lines are dropped. Raises Garbage on a line that never ends.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise Garbage("A line of the stream is too long.")
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]

    def end(self) -> list[bytes]:
        """What an upstream left without its last line break."""
        return self.feed(b"\n")


async def payloads(stream: AsyncIterable[bytes]) -> AsyncGenerator[list[bytes], None]:
    """The events of an answer's body, as many at a time as arrive together (there may be none).

    A body that is one JSON object, because the upstream cannot stream, comes out as one event.
    """
    lines, head, is_json = EventLines(), b"", None
    async for data in stream:
        if is_json is None:
            head += data
            if not (begun := head.lstrip()):
                continue
            is_json, data = begun.startswith(b"{"), begun
            head = data if is_json else b""
        elif is_json:
            head += data
        if not is_json:
            yield lines.feed(data)
        elif len(head) > MAX_LINE_BYTES:
            raise Garbage("The answer is too long.")
    yield [head] if is_json else lines.end()
