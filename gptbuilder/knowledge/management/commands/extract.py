"""Show what is read from a file, as indexing would read it. Needs no database."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptbuilder.knowledge import extraction, outcomes

# The coarse classes that collections of test files speak in; whatever is refused for another reason is "reject".
CLASSES = {
    "ok": "text",
    "needs_password": "password",
    "wrong_password": "password",
    "no_text_layer": "needs_ocr",
    "empty": "empty",
}
OTHERWISE = "reject"


class Command(BaseCommand):
    help = "Read FILE in the cage and print its text by page, sheet, slide or heading, or why there is none."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--password", help="of an encrypted file")
        parser.add_argument("--name", help="what the person called it, where FILE is named otherwise")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(
        self, *args: Any, file: Path, password: str | None, name: str | None, json: bool, **options: Any
    ) -> None:
        try:
            found = extraction.extract(file, name or file.name, password)
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        self.stdout.write(as_json(found) if json else as_text(found))


def as_json(found: extraction.Extraction) -> str:
    return json.dumps(
        {
            "outcome": found.outcome,
            "class": CLASSES.get(found.outcome, OTHERWISE),
            "kind": found.kind,
            "message": outcomes.message(found),
            "detail": found.detail,
            "sections": [asdict(section) for section in found.sections],
            "unread": found.unread,
            "seconds": round(found.seconds, 3),
            "peak_mb": round(found.peak_bytes / 1e6, 1),
        },
        ensure_ascii=False,
    )


def as_text(found: extraction.Extraction) -> str:
    lines = [f"{found.outcome} ({found.kind or 'unknown'}): {outcomes.message(found)}"]
    if found.detail:
        lines.append(found.detail)
    for section in found.sections:
        place = " ".join(filter(None, [section.kind, str(section.number or ""), section.title]))
        lines += ["", f"--- {place}", section.text]
    return "\n".join(lines)
