"""Put a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gptbuilder.embedded import keys as kept_keys
from gptbuilder.operation import archive, backup, database
from gptbuilder.operation.progress_bar import ProgressBar

USED = (
    "People have used this installation, and all they did would be lost: make a backup of it first, then give --force."
)


class Command(BaseCommand):
    help = (
        "Check FILE and put its database and files into this installation, which nobody has used yet. "
        "A backup of an older version is brought up to date."
    )
    # The tables may not be there yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--force", action="store_true", help="throw away what is in this installation")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is no file.")
        size = file.stat().st_size
        reading = ProgressBar(self.stdout, "Checking ", size)  # type: ignore[arg-type]
        writing = ProgressBar(self.stdout, "Restoring", size)  # type: ignore[arg-type]
        try:
            done = backup.restore(file, timezone.now(), force=force, reading=reading, writing=writing)
        except archive.ArchiveBroken as error:
            raise CommandError(str(error)) from error
        except database.TooNew as error:
            raise CommandError(f"This backup is of a newer version (it has {error}): update first.") from error
        except backup.NotEmpty:
            raise CommandError(USED) from None
        finally:
            reading.close()
            writing.close()
        self._say(done)

    def _say(self, done: backup.Restored) -> None:
        manifest = done.manifest
        self.stdout.write(
            f"Restored what was there at {manifest.made_at}: {sum(manifest.rows.values()):,} rows, "
            f"{manifest.files:,} files."
        )
        if done.ended_runs:
            self.stdout.write(f"{done.ended_runs:,} answers were being written then and ended with a reason.")
        if done.skipped_tables:
            self.stdout.write(
                f"Tables that this version does not have were left out: {', '.join(done.skipped_tables)}."
            )
        if done.keys is not None:
            self._keep(done.keys)
        elif done.unreadable:
            self.stderr.write(
                self.style.WARNING(
                    "Stored credentials in it are sealed with FIELD_KEYS that this installation does not have: "
                    "set FIELD_KEYS to the old ones, or people must enter their credentials again."
                )
            )

    def _keep(self, keys: dict[str, str]) -> None:
        """Keys that this installation has made for itself give way; keys that somebody set must be set anew."""
        in_use = {"SECRET_KEY": settings.SECRET_KEY, "FIELD_KEYS": ",".join(settings.FIELD_KEYS)}
        if kept_keys.replace(settings.HOME, in_use, keys):
            self.stdout.write(f"Its keys are now in {settings.HOME}. Start everything again to use them.")
        else:
            self.stderr.write(
                self.style.WARNING(
                    "It holds keys, and this installation has others in its environment. Set SECRET_KEY and FIELD_KEYS "
                    "to those in keys.json of the backup, and start everything again."
                )
            )
