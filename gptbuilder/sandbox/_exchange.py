"""The host's end of one job: hands over the request, reads what comes, and gives up in time. No thread, no signal."""

import math
import select
import socket
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from gptbuilder.sandbox import frames
from gptbuilder.sandbox._keeper import ForkServer

PIECE_BYTES = 262_144
KEPT_ERROR_BYTES = 2000
MOST_ERROR_BYTES = 16 * 1024 * 1024
LONGEST_REPORT = 10_000
# A process that has closed its answer is usually ending by itself, and its status then tells why.
LAST_WORDS_SECONDS = 1.0
# To be killed and waited for, on a machine that is busy.
CLEARING_UP_SECONDS = 5.0


class NotCaged(Exception):
    """The job was never let loose: the text says what kept its cage from being complete."""


class TimeUp(Exception):
    """Nothing more came before the deadline."""


class TooMuch(Exception):
    """More was written to the standard error than anybody will read."""


class Exchange:
    """A caged process and three connections to it: requests and answers, its standard error, its warden's reports.

    Leaving the context ends the process; `end` does it too, and tells how it ended. For one thread.
    """

    def __init__(self, server: ForkServer, order: Mapping[str, Any], inputs: Sequence[int]) -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        self._report, self._channel, self._errors = (ours for ours, _ in pairs)
        self._sockets = {ours.fileno(): ours for ours, _ in pairs}
        self._reports = frames.FrameReader(LONGEST_REPORT)
        self._poll = select.poll()
        self._unsent = memoryview(b"")
        self._error_bytes = 0
        self.error_text = b""
        self.caged = False
        self.trouble: str | None = None
        self.cut_short = False
        self.ending: Mapping[str, Any] | None = None
        for each in self._sockets.values():
            each.setblocking(False)
            self._poll.register(each, select.POLLIN)
        try:
            server.send(order, [*(theirs.fileno() for _, theirs in pairs), *inputs])
        except BaseException:
            self._close()
            raise
        finally:
            for _, theirs in pairs:
                theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._close()

    def send(self, data: bytes) -> None:
        """Goes out while `receive` waits: a process that reads nothing holds up nobody."""
        self._unsent = memoryview(bytes(self._unsent) + data)
        self._poll.modify(self._channel, select.POLLIN | select.POLLOUT)

    def receive(self, deadline: float) -> bytes:
        """The next piece of what the process says; empty when it will say no more. Raises TimeUp, NotCaged, TooMuch."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeUp
            if self._error_bytes > MOST_ERROR_BYTES:
                raise TooMuch
            if self.trouble is not None:
                raise NotCaged(self.trouble)
            for number, events in self._poll.poll(left * 1000):
                piece = self._attend(self._sockets[number], events)
                if piece is not None:
                    return piece

    def end(self, patience_seconds: float = 0.0) -> Mapping[str, Any] | None:
        """How it ended, by itself within the patience or killed now. None when its warden could not say."""
        if self._channel in self._sockets.values():
            self._leave(self._channel)
        self._await_end(time.monotonic() + patience_seconds, MOST_ERROR_BYTES)
        if not self.is_over:
            # The warden takes it as the order to end the job.
            self.cut_short = True
            self._report.shutdown(socket.SHUT_WR)
            self._await_end(time.monotonic() + CLEARING_UP_SECONDS)
        return self.ending

    @property
    def is_over(self) -> bool:
        """Whether the warden, and so its job, is known to be gone."""
        return self._report not in self._sockets.values()

    def _await_end(self, deadline: float, most_error_bytes: float = math.inf) -> None:
        """Until the warden is gone, and nothing of the job with it."""
        while self._sockets and self._error_bytes <= most_error_bytes:
            found = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not found:
                return
            for number, events in found:
                self._attend(self._sockets[number], events)

    def _attend(self, source: socket.socket, events: int) -> bytes | None:
        if source is self._report:
            # The channel closes, too, when the process is gone, but first come its last words.
            self._read_report()
            return None
        if source is self._errors:
            self._read_errors()
            return None
        if events & select.POLLOUT:
            self._write()
        return self._read_channel() if events & ~select.POLLOUT else None

    def _write(self) -> None:
        try:
            self._unsent = self._unsent[self._channel.send(self._unsent[:PIECE_BYTES]) :]
        except OSError:
            # It hung up; what it has said is still to be read.
            self._unsent = memoryview(b"")
        if not self._unsent:
            self._poll.modify(self._channel, select.POLLIN)

    def _read_channel(self) -> bytes:
        piece = _received(self._channel)
        if not piece:
            self._leave(self._channel)
        return piece

    def _read_errors(self) -> None:
        piece = _received(self._errors)
        if not piece:
            self._leave(self._errors)
        self._error_bytes += len(piece)
        self.error_text = (self.error_text + piece)[-KEPT_ERROR_BYTES:]

    def _read_report(self) -> None:
        piece = _received(self._report)
        if not piece:
            self._leave(self._report)
            return
        frame = self._reports.feed(piece)
        while frame is not None:
            said = frames.decode(frame)
            if "trouble" in said:
                self.trouble = said["trouble"]
            elif "caged" in said:
                self.caged = True
            else:
                self.ending = said
            frame = self._reports.feed(b"")

    def _leave(self, source: socket.socket) -> None:
        del self._sockets[source.fileno()]
        self._poll.unregister(source)

    def _close(self) -> None:
        for each in (self._report, self._channel, self._errors):
            each.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(PIECE_BYTES)
    except ConnectionResetError:
        return b""
