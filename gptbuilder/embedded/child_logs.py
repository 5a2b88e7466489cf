"""What a child says: line by line into a rotating file, and its last lines kept to be shown when it fails."""

import logging
import os
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path

ROTATE_BYTES = 5_000_000
ROTATIONS = 3
KEPT_LINES = 20
LONGEST_LINE_BYTES = 64_000


class ChildLog:
    """Reads a child's pipe without ever waiting for it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._file = _Quiet(path, maxBytes=ROTATE_BYTES, backupCount=ROTATIONS, encoding="utf-8")
        self._file.setFormatter(logging.Formatter(f"%(asctime)s {name} | %(message)s"))
        self._rest = b""

    def read(self, descriptor: int) -> bool:
        """Take what is there; False at the end of the pipe."""
        try:
            data = os.read(descriptor, 65_536)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data or len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            if text := line.decode(errors="replace").rstrip():
                self.note(text)
        return bool(data)

    def note(self, text: str) -> None:
        self.last_lines.append(text)
        self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))

    def close(self) -> None:
        self._file.close()


class _Quiet(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk must not end the supervisor: the line is lost and the terminal stays readable."""
