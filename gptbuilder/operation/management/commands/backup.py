"""Write a backup of the whole installation to one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gptbuilder.operation import archive, backup
from gptbuilder.operation.progress_bar import ProgressBar


class Command(BaseCommand):
    help = (
        "Write database and files to FILE (a .tar.gz that only its owner can read), while people go on working. "
        "SECRET_KEY and FIELD_KEYS are left out unless asked for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--with-keys", action="store_true", help="put SECRET_KEY and FIELD_KEYS in: whoever has FILE has them then"
        )

    def handle(self, *args: Any, file: Path, with_keys: bool, **options: Any) -> None:
        bar = ProgressBar(self.stdout, "Backup", backup.size_bytes())  # type: ignore[arg-type]
        try:
            with archive.created(file) as out:
                manifest = backup.make(out, timezone.now(), with_keys=with_keys, progress=bar)
            bar.finish()
        except FileExistsError:
            raise CommandError(f"{file} exists already: choose another name.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        finally:
            bar.close()
        self.stdout.write(
            f"{file.resolve()}: {sum(manifest.rows.values()):,} rows, {manifest.files:,} files, "
            f"{file.stat().st_size / 1e6:,.1f} MB."
        )
        if with_keys:
            self.stderr.write(
                self.style.WARNING(
                    "It holds the keys of this installation: whoever can read it can sign in as anybody and read "
                    "stored credentials. Encrypt it before it leaves this machine."
                )
            )
        else:
            self.stdout.write("Its keys are not in it: keep FIELD_KEYS elsewhere, or give --with-keys.")
