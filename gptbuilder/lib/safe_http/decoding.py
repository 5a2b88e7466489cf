"""Compressed bodies, opened piece by piece: no piece becomes longer than the caller has room for."""

from __future__ import annotations

import zlib
from typing import Protocol

from gptbuilder.lib.safe_http.errors import Garbage

ACCEPTED = "gzip, deflate"
# RFC 1952 lets members follow one another. Empty ones are 20 bytes each, so their number has to end.
MAX_MEMBERS = 1000
GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Decoder(Protocol):
    def decode(self, data: bytes, room: int) -> bytes:
        """What `data` adds to the body, cut after `room` bytes, at least one. Nothing may be decoded after a cut.
        Raises Garbage."""

    def finish(self) -> None:
        """Raises Garbage if the body is not complete."""


def decoder(content_encoding: str) -> Decoder:
    """For what an answer says of itself. Only one encoding, of those we accept. Raises Garbage."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Gzip()
        case "deflate":
            return _Deflate()
    raise Garbage("The answer is compressed in a way we did not ask for.")


class _Identity:
    def decode(self, data: bytes, room: int) -> bytes:
        return data[:room]

    def finish(self) -> None:
        pass


class _Gzip:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP)
        self._members = 1
        self._is_begun = False

    def decode(self, data: bytes, room: int) -> bytes:
        body = bytearray()
        while data and len(body) < room:
            if self._member.eof:
                self._begin_member()
            self._is_begun = True
            body += _decompressed(self._member, data, room - len(body))
            data = self._member.unused_data
        return bytes(body)

    def finish(self) -> None:
        if self._is_begun and not self._member.eof:
            raise Garbage("The answer ends too early.")

    def _begin_member(self) -> None:
        if self._members == MAX_MEMBERS:
            raise Garbage("The answer is compressed in too many parts.")
        self._member = zlib.decompressobj(GZIP)
        self._members += 1


class _Deflate:
    """The zlib format of RFC 9110, 8.4.1.2, or the bare stream that some servers send in its place."""

    def __init__(self) -> None:
        self._head = b""
        self._stream: zlib._Decompress | None = None

    def decode(self, data: bytes, room: int) -> bytes:
        if self._stream is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            data = self._head
            self._stream = zlib.decompressobj(ZLIB if _is_zlib(data) else RAW)
        return _decompressed(self._stream, data, room)

    def finish(self) -> None:
        if self._head and (self._stream is None or not self._stream.eof):
            raise Garbage("The answer ends too early.")


def _is_zlib(head: bytes) -> bool:
    """RFC 1950, 2.2: the method is 8, and the first two bytes are a multiple of 31."""
    return head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0


def _decompressed(stream: zlib._Decompress, data: bytes, room: int) -> bytes:
    try:
        return stream.decompress(data, room)
    except zlib.error:
        raise Garbage("The answer's compression is broken.") from None
