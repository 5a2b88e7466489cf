"""The file of a backup: a tar.gz that is written and read in one go, in constant memory.

Members in this order: `database/<table>/<number>` (PostgreSQL's own text of rows, in pieces), `files/<path>`,
`keys.json` if asked for, and last `manifest.json` with a checksum of all the others. A file without it was cut off.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys.json"
DATABASE = "database/"
FILES = "files/"
BLOCK_BYTES = 1 << 20
# A level above 4 is slower than the disks it saves.
COMPRESSION = 4


class ArchiveBroken(Exception):
    """The file is not a backup, or not whole; the text says which."""


@dataclass
class Manifest:
    """What is in the archive. `migrations` are the applied ones, `tables` the columns of each, `sequences` the value
    and whether it was given out, `field_keys` fingerprints of the keys that credentials in it are sealed with."""

    format: int = FORMAT
    version: str = ""
    made_at: str = ""
    migrations: list[list[str]] = field(default_factory=list)
    tables: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)
    files: int = 0
    size_bytes: int = 0
    field_keys: list[str] = field(default_factory=list)
    has_keys: bool = False
    sha256: str = ""


class Writer:
    """Adds members; `close` with the manifest makes the archive whole."""

    def __init__(self, out: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=COMPRESSION)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|")  # noqa: SIM115
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def add(self, name: str, size: int, content: IO[bytes]) -> None:
        self._digest.update(_head(name, size))
        self._write(name, size, _Digesting(content, self._digest))
        self.size_bytes += size

    def close(self, manifest: Manifest) -> None:
        manifest.size_bytes, manifest.sha256 = self.size_bytes, self._digest.hexdigest()
        told = json.dumps(asdict(manifest), indent=1).encode()
        self._write(MANIFEST, len(told), io.BytesIO(told))
        self._tar.close()
        self._gzip.close()

    def _write(self, name: str, size: int, content: Any) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, content)
        # It would remember every member for a table of contents that nobody asks for.
        self._tar.members = []  # type: ignore[attr-defined]


def verify(path: Path, progress: Callable[[int], None]) -> Manifest:
    """Read all of it and compare the checksum. Raises ArchiveBroken before anything has been touched."""
    digest = hashlib.sha256()
    manifest: Manifest | None = None
    with _readable():
        for name, size, content in members(path, progress):
            if name == MANIFEST:
                manifest = _manifest(content.read())
                continue
            digest.update(_head(name, size))
            while block := content.read(BLOCK_BYTES):
                digest.update(block)
    if manifest is None:
        raise ArchiveBroken("This is not a whole backup: its end is missing.")
    if manifest.sha256 != digest.hexdigest():
        raise ArchiveBroken("This backup is damaged: its checksum does not match.")
    return manifest


def members(path: Path, progress: Callable[[int], None]) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each member; read the content before going on. `progress` gets bytes of the file."""
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|gz", bufsize=BLOCK_BYTES) as tar:
        seen = 0
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                raise ArchiveBroken(f"This is not a backup of GPT Builder: {member.name} is no file.")
            yield member.name, member.size, content
            tar.members = []  # type: ignore[attr-defined]
            progress(file.tell() - seen)
            seen = file.tell()


@contextmanager
def created(path: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner reads, under its name when it is whole. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(path)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def extract(content: IO[bytes], folder: Path, name: str) -> None:
    """Put a file below `folder`, whole or not at all. Raises ArchiveBroken for a name that leads out of it."""
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
        raise ArchiveBroken(f"This backup holds a file that leads out of its folder: {name}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    with partial.open("wb") as file:
        shutil.copyfileobj(content, file, BLOCK_BYTES)
    partial.rename(target)


class _Digesting:
    """A file that is digested while it is read."""

    def __init__(self, content: IO[bytes], digest: Any) -> None:
        self._content = content
        self._digest = digest

    def read(self, size: int) -> bytes:
        block = self._content.read(size)
        self._digest.update(block)
        return block


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveBroken(f"This backup cannot be read to its end: {error}.") from error


def _head(name: str, size: int) -> bytes:
    return f"{name}\0{size}\0".encode()


def _manifest(text: bytes) -> Manifest:
    try:
        told = json.loads(text)
        if told["format"] > FORMAT:
            raise ArchiveBroken("This backup was made by a newer version of GPT Builder.")
        return Manifest(**told)
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveBroken("This is not a backup of GPT Builder.") from error
