"""Zip archives that may be bombs: what is needed is unpacked under a count, and packed again for the parser.

Declared sizes, overlapping members and odd compressions never reach a parser: it gets a plain, stored archive.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from gptbuilder.knowledge.reading import limits
from gptbuilder.knowledge.reading.document import Unreadable

# In UTF-8 and in both orders of UTF-16.
ENTITY = re.compile(rb"<\0?!\0?E\0?N\0?T\0?I\0?T\0?Y", re.IGNORECASE)
CHUNK_BYTES = 2**16
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, OverflowError)
ENCRYPTED = 0x1


class Archive:
    """The members of an archive by name, unpacked when they are asked for, within one budget for them all."""

    def __init__(self, data: bytes):
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except BROKEN as error:
            raise Unreadable("broken", f"zip: {error}") from error
        if len(self._zip.infolist()) > limits.ARCHIVE_MEMBERS:
            raise Unreadable("not_safe", f"an archive of {len(self._zip.infolist())} members")
        self.names = [entry.filename for entry in self._zip.infolist() if not entry.is_dir()]
        self._by_lower_name = {name.lower(): name for name in reversed(self.names)}
        self._packed_bytes = len(data)
        self._unpacked_bytes = 0
        self._read: dict[str, bytes] = {}

    def find(self, name: str) -> str | None:
        """The member of that name, in whatever case it is written."""
        return self._by_lower_name.get(name.lower().lstrip("/"))

    def read(self, name: str) -> bytes:
        """Raises Unreadable where the member is missing, damaged, encrypted, hides entities, or is too much."""
        member = self.find(name)
        if member is None:
            raise Unreadable("broken", f"no {name} in the archive")
        if member not in self._read:
            self._read[member] = self._unpacked(member)
        return self._read[member]

    def _unpacked(self, member: str) -> bytes:
        if self._zip.getinfo(member).flag_bits & ENCRYPTED:
            raise Unreadable("needs_password", "an encrypted member")
        parts = []
        try:
            with self._zip.open(member) as opened:
                while part := opened.read(CHUNK_BYTES):
                    self._count(len(part))
                    parts.append(part)
        except BROKEN as error:
            raise Unreadable("broken", f"{member}: {error}") from error
        unpacked = b"".join(parts)
        if ENTITY.search(unpacked):
            raise Unreadable("not_safe", f"{member} defines entities")
        return unpacked

    def repacked(self, endings: tuple[str, ...]) -> bytes:
        """A stored archive of the members with these endings, without pictures, fonts and films that nobody reads."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for name in dict.fromkeys(self.names):
                if name.lower().endswith(endings):
                    packed.writestr(zipfile.ZipInfo(name.lstrip("/")), self.read(name))
        return out.getvalue()

    def _count(self, size: int) -> None:
        self._unpacked_bytes += size
        if self._unpacked_bytes > limits.ARCHIVE_BYTES:
            raise Unreadable("not_safe", f"more than {limits.ARCHIVE_BYTES} bytes unpacked")
        if (
            self._unpacked_bytes > limits.ARCHIVE_BYTES_WITHOUT_RATIO
            and self._unpacked_bytes > limits.ARCHIVE_RATIO * self._packed_bytes
        ):
            raise Unreadable("not_safe", f"unpacks to more than {limits.ARCHIVE_RATIO} times its size")
