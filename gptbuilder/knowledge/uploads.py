"""Taking files in: piece by piece, so that a connection that breaks costs one piece; stored once for each workspace.

The pieces go to a file of the upload's own. Its row says how many bytes are certain: a piece is written first and
counted afterwards, so whatever is killed in between is written again at the same place.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.knowledge import indexing
from gptbuilder.knowledge.models import Content, KnowledgeFile, Upload
from gptbuilder.workspaces.models import Workspace

NAME_LENGTH = 255
# What a person sends in one request; the page cuts files into pieces of 4 MB.
PIECE_MOST = 16 * 1024 * 1024
READ_BYTES = 1024 * 1024
ABANDONED = timedelta(days=1)

TOO_LARGE = _("“%(name)s” is larger than %(most)s, the most a file may have here.")
NO_ROOM = _("With “%(name)s” you would have more than %(most)s of files. Erase some that you no longer need.")
EMPTY = _("“%(name)s” is empty.")
DISK_FULL = _("The server has no room for this file now. What was uploaded is kept; try again later.")
IN_PIECES = _("A piece of this file is too large to be taken at once.")


class UploadRefused(Exception):
    """A file that is not taken, and why, in the person's language."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class WrongPlace(Exception):
    """A piece that does not begin where the upload ends; `at` is where it does."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class DiskFull(UploadRefused):
    """Nothing is lost: the piece can be sent again."""


def begin(person: User, name: str, size_bytes: int) -> Upload:
    """Announce a file. Raises UploadRefused when it would be too large."""
    name = clean_name(name) or "file"
    _require_room(person, name, size_bytes)
    return Upload.objects.create(
        workspace=Workspace.objects.personal(person), person=person, name=name, size_bytes=size_bytes
    )


def go_on(upload: Upload, at: int, piece: BinaryIO) -> int:
    """Write a piece that begins at this byte; gives how many bytes are certain now. What is beyond the announced size
    is not taken. Sending a piece twice is harmless. Raises WrongPlace and DiskFull."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if at != upload.received_bytes:
            raise WrongPlace(upload.received_bytes)
        written = _write(part_of(upload), at, piece, upload.size_bytes - at)
        upload.received_bytes = at + written
        upload.save(update_fields=["received_bytes", "updated_at"])
    return upload.received_bytes


def finish(upload: Upload) -> KnowledgeFile:
    """Make a file of an upload that is whole, and forget the upload. Raises UploadRefused when bytes are missing."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        part = part_of(upload)
        if upload.received_bytes != upload.size_bytes or not part.exists():
            raise WrongPlace(upload.received_bytes)
        # A piece that was written and not counted may have been longer than what took its place.
        os.truncate(part, upload.size_bytes)
        file = _take(upload.workspace, upload.person, upload.name, part)
        upload.delete()
    part.unlink(missing_ok=True)
    return file


def receive(workspace: Workspace, person: User, name: str, file: File[bytes]) -> KnowledgeFile:
    """Take a file that came in one piece, as a form without JavaScript sends it. Raises UploadRefused."""
    name = clean_name(name) or "file"
    _require_room(person, name, file.size)
    part = _folder() / f"{os.urandom(16).hex()}.part"
    try:
        with part.open("wb") as target:
            for piece in file.chunks(READ_BYTES):
                target.write(piece)
        return _take(workspace, person, name, part)
    except OSError as error:
        raise _refusal(error) from error
    finally:
        part.unlink(missing_ok=True)


def copy(file: KnowledgeFile) -> KnowledgeFile:
    """Another file with the same content and name, which can be erased by itself."""
    return KnowledgeFile.objects.create(
        workspace_id=file.workspace_id,
        uploaded_by_id=file.uploaded_by_id,
        content_id=file.content_id,
        name=file.name,
        size_bytes=file.size_bytes,
    )


def retry(content: Content, password: str = "") -> None:
    """Read a file again, with the password that opens it if one is given. Raises SealingError."""
    if password:
        content.seal_password(password)
        content.save(update_fields=["sealed_password"])
    indexing.request(content)


def used_bytes(person: User) -> int:
    """What the person's files take, each content once."""
    contents = Content.objects.filter(pk__in=KnowledgeFile.objects.filter(uploaded_by=person).values("content"))
    return contents.aggregate(total=Sum("size_bytes"))["total"] or 0


def purge(now: datetime) -> int:
    """Forget uploads that nobody went on with for a day, and parts without an upload; gives how many rows went."""
    gone, _rows = Upload.objects.filter(updated_at__lt=now - ABANDONED).delete()
    known = set(Upload.objects.values_list("pk", flat=True))
    for part in _folder().glob("*.part"):
        if part.stem not in known and part.stat().st_mtime < (now - ABANDONED).timestamp():
            part.unlink(missing_ok=True)
    return gone


def part_of(upload: Upload) -> Path:
    """Where the pieces are gathered."""
    return _folder() / f"{upload.pk}.part"


def clean_name(name: str) -> str:
    """A file's name on one line, without folders and control characters, cut in the middle when it is too long."""
    plain = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip()
    if len(plain) <= NAME_LENGTH:
        return plain
    stem, dot, ending = plain.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 12 else ""
    return f"{plain[: NAME_LENGTH - len(ending) - 1]}…{ending}"


def readable_size(size_bytes: int) -> str:
    """In the person's language: 512 MB."""
    from django.template.defaultfilters import filesizeformat

    return filesizeformat(size_bytes)


def _require_room(person: User, name: str, size_bytes: int) -> None:
    if size_bytes <= 0:
        raise UploadRefused(EMPTY % {"name": name})
    if size_bytes > settings.KNOWLEDGE_FILE_MAX_BYTES:
        raise UploadRefused(TOO_LARGE % {"name": name, "most": readable_size(settings.KNOWLEDGE_FILE_MAX_BYTES)})
    if used_bytes(person) + size_bytes > settings.KNOWLEDGE_PERSON_MAX_BYTES:
        raise UploadRefused(NO_ROOM % {"name": name, "most": readable_size(settings.KNOWLEDGE_PERSON_MAX_BYTES)})


def _write(part: Path, at: int, piece: BinaryIO, room: int) -> int:
    written = 0
    try:
        with part.open("r+b" if part.exists() else "w+b") as target:
            target.seek(at)
            while written < room and (data := piece.read(min(READ_BYTES, room - written))):
                target.write(data)
                written += len(data)
    except OSError as error:
        raise _refusal(error) from error
    return written


def _take(workspace: Workspace, person: User, name: str, part: Path) -> KnowledgeFile:
    """The bytes of `part` as a file of the workspace; they are moved, or forgotten when the workspace has them."""
    digest, size_bytes = _sha256(part)
    with transaction.atomic():
        content = Content.objects.select_for_update().filter(workspace=workspace, sha256=digest).first()
        if content is None:
            content = Content(workspace=workspace, sha256=digest, size_bytes=size_bytes)
            with _Moved(part) as moved:
                content.file.save("", moved, save=False)
            content.save(force_insert=True)
            indexing.request(content)
        elif content.state == Content.State.FAILED:
            # The same bytes under another name may be read differently.
            transaction.on_commit(lambda: indexing.request(content))
        return KnowledgeFile.objects.create(
            workspace=workspace, uploaded_by=person, content=content, name=name, size_bytes=size_bytes
        )


class _Moved(File):  # type: ignore[type-arg]
    """A file on this machine's disk that a storage on the same disk may take over without copying."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def _sha256(part: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for data in _pieces(part):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def _pieces(part: Path) -> Iterator[bytes]:
    with part.open("rb") as file:
        while data := file.read(READ_BYTES):
            yield data


def _folder() -> Path:
    """Beside the stored files, so that a finished upload is moved and not copied."""
    folder = Path(settings.MEDIA_ROOT) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _refusal(error: OSError) -> DiskFull:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(DISK_FULL)
    raise error
