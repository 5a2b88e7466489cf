"""Messages between processes: four bytes of length, then JSON. What comes out of the cage is read as hostile."""

import json
import re
import struct
from typing import Any, NoReturn

HEADER = struct.Struct(">I")
DEEPEST = 64
MOST_VALUES = 1_000_000
_BRACKET = re.compile(rb"[\[\]{}]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BadFrame(Exception):
    """What came is no message of ours; the text says why."""


class TooLong(BadFrame):
    """A frame says that it is longer than was allowed. It was not read."""


class FrameReader:
    """Puts frames together from whatever pieces arrive; holds at most one frame and one piece."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> bytes | None:
        """The frame, once it is complete. Raises TooLong as soon as the length is known."""
        self._buffer += piece
        if len(self._buffer) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._buffer)
        if length > self._longest:
            raise TooLong(f"a frame of {length:,} bytes, {self._longest:,} were allowed")
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(memoryview(self._buffer)[HEADER.size : end])
        del self._buffer[:end]
        return frame


def encode(value: Any) -> bytes:
    """A frame, header and all. Raises ValueError for what JSON cannot say: NaN, infinity, half a character."""
    body = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode(frame: bytes) -> Any:
    """The value in a frame. Raises BadFrame for anything but modest, strict JSON in UTF-8."""
    _require_modest(frame)
    try:
        text = frame.decode()
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if _SURROGATE.search(frame):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {error}") from error
    return value


def _require_modest(frame: bytes) -> None:
    """A short text can become a thousand times as many objects, and a deep one ends whoever walks through it."""
    if frame.count(b'"') > 4 * MOST_VALUES:
        raise BadFrame(f"more than {MOST_VALUES:,} values")
    # Without escaped quotes every second piece between quotes is a string; the others are what holds them together.
    skeleton = b"".join(frame.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    if sum(map(skeleton.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise BadFrame(f"more than {MOST_VALUES:,} values")
    depth = 0
    for bracket in _BRACKET.finditer(skeleton):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > DEEPEST:
            raise BadFrame(f"nested deeper than {DEEPEST}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number without end")
    return number
