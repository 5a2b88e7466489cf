"""Everything of an installation in one file, and an installation from that file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction

import gptbuilder
from gptbuilder.conversations.models.run import Run
from gptbuilder.operation import archive, database
from gptbuilder.operation.archive import Manifest

Progress = Callable[[int], None]
RESTORED = "restored"


class NotEmpty(Exception):
    """People have used the installation that is to be restored into."""


@dataclass(frozen=True)
class Restored:
    """What a restore did. `ended_runs` were being answered when the backup was made; `keys` are those of the archive
    when they are not this installation's, `unreadable`: credentials in it are sealed with keys missing here."""

    manifest: Manifest
    ended_runs: int
    skipped_tables: list[str]
    keys: dict[str, str] | None
    unreadable: bool


def size_bytes() -> int:
    """About how much a backup will read."""
    return database.size_bytes() + sum(path.stat().st_size for path in _files())


def make(out: IO[bytes], now: datetime, *, with_keys: bool, progress: Progress) -> Manifest:
    """Write a backup while people go on working. The database is as it was at one moment; files are read after it.

    A file is never changed once it is there, so the ones that the rows name are right; one deleted meanwhile is left
    out.
    """
    manifest = Manifest(version=gptbuilder.__version__, made_at=now.isoformat(), has_keys=with_keys)
    manifest.field_keys = _fingerprints(settings.FIELD_KEYS)
    writer = archive.Writer(out)
    with transaction.atomic(durable=True):
        database.read_one_moment()
        manifest.migrations = database.applied_migrations()
        manifest.sequences = database.sequences()
        manifest.tables = database.tables()
        for table, columns in manifest.tables.items():
            manifest.rows[table] = 0
            for number, (piece, rows) in enumerate(database.read(table, columns)):
                writer.add(f"{archive.DATABASE}{table}/{number:06}", len(piece), io.BytesIO(piece))
                manifest.rows[table] += rows
                progress(len(piece))
    manifest.files = _write_files(writer, progress)
    if with_keys:
        keys = json.dumps({"SECRET_KEY": settings.SECRET_KEY, "FIELD_KEYS": ",".join(settings.FIELD_KEYS)}).encode()
        writer.add(archive.KEYS, len(keys), io.BytesIO(keys))
    writer.close(manifest)
    return manifest


def restore(path: Path, now: datetime, *, force: bool, reading: Progress, writing: Progress) -> Restored:
    """Put everything back, after the whole file has been checked. Rows come in one transaction, files before its end.

    Answers that were being made end with a reason. Raises ArchiveBroken, NotEmpty and TooNew, and then has changed
    nothing; with `force` what people did here is lost.
    """
    manifest = archive.verify(path, reading)
    if database.has_people() and not force:
        raise NotEmpty
    database.shape(manifest.migrations)
    keys: dict[str, str] | None = None
    with transaction.atomic(durable=True):
        here = database.tables()
        database.empty(list(here))
        loader = database.Loader({name: columns for name, columns in manifest.tables.items() if name in here})
        for name, _size, content in archive.members(path, writing):
            if name.startswith(archive.DATABASE):
                table = name.removeprefix(archive.DATABASE).partition("/")[0]
                if table in here:
                    loader.write(table, content, archive.BLOCK_BYTES)
            elif name.startswith(archive.FILES):
                archive.extract(content, Path(settings.MEDIA_ROOT), name.removeprefix(archive.FILES))
            elif name == archive.KEYS:
                keys = json.loads(content.read())
        loader.close()
        database.set_sequences(
            {name: value for name, value in manifest.sequences.items() if name in database.sequences()}
        )
        ended = end_runs(now)
    database.migrate()
    missing = set(manifest.field_keys) - set(_fingerprints(settings.FIELD_KEYS))
    return Restored(
        manifest,
        ended,
        sorted(set(manifest.tables) - set(here)),
        keys if keys and not _are_ours(keys) else None,
        bool(missing),
    )


def end_runs(now: datetime) -> int:
    """End what was being answered: its worker is not of this world. By plain columns, for the tables may be older
    than the models."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_run SET status = %s, error_code = %s, finished_at = %s WHERE status = ANY(%s)",
            [str(Run.Status.FAILED), RESTORED, now, [str(status) for status in Run.ACTIVE]],
        )
        return int(cursor.rowcount)


def _files() -> Iterator[Path]:
    folder = Path(settings.MEDIA_ROOT)
    if folder.exists():
        yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _write_files(writer: archive.Writer, progress: Progress) -> int:
    count = 0
    for path in _files():
        try:
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                file.seek(0)
                name = path.relative_to(settings.MEDIA_ROOT).as_posix()
                writer.add(f"{archive.FILES}{name}", size, file)
        except FileNotFoundError:
            continue
        progress(size)
        count += 1
    return count


def _fingerprints(field_keys: list[str]) -> list[str]:
    """What tells keys apart and does not give them away: each is random and long."""
    return [hashlib.sha256(key.encode()).hexdigest()[:16] for key in field_keys]


def _are_ours(keys: dict[str, str]) -> bool:
    return keys == {"SECRET_KEY": settings.SECRET_KEY, "FIELD_KEYS": ",".join(settings.FIELD_KEYS)}
