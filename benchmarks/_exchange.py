"""HTTP exchanges for load: cheap enough that the load does not disturb what it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import httptools


class Exchange(asyncio.Protocol):
    """One HTTP/1.1 connection. `send` gives a whole answer; `stream` gives its body piece by piece."""

    def __init__(self) -> None:
        self.status = 0
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._parser = httptools.HttpResponseParser(self)

    @classmethod
    async def open(cls, port: int) -> Exchange:
        loop = asyncio.get_running_loop()
        _transport, exchange = await loop.create_connection(cls, "127.0.0.1", port)
        return exchange

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send a request; read its answer to the end before the next one."""
        self.status = 0
        self._parser = httptools.HttpResponseParser(self)
        head = {"Host": "127.0.0.1", **headers, **({"Content-Length": str(len(body))} if body else {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self._transport.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    async def piece(self) -> bytes:
        """The next piece of the answer's body; empty at its end. Raises ConnectionError when it breaks off."""
        piece = await self._pieces.get()
        if piece is None:
            raise ConnectionError("The connection was closed.")
        return piece

    async def body(self) -> bytes:
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._transport.abort()

    # --- of asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._pieces.put_nowait(None)

    # --- of httptools ---

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._pieces.put_nowait(body)

    def on_message_complete(self) -> None:
        self._pieces.put_nowait(b"")
