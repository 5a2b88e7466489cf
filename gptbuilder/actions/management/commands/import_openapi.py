"""Show what a GPT could call of an OpenAPI document, without saving anything. Needs no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptbuilder.actions.openapi import parsing, reading
from gptbuilder.actions.openapi.types import Api, Operation


class Command(BaseCommand):
    help = "Read an OpenAPI document (3.1, 3.0, Swagger 2.0; JSON or YAML) and print the operations a GPT could call."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--source", default="", help="the address it came from, for addresses relative to it")
        parser.add_argument("--json", action="store_true", help="print one JSON object, with the parameter schemas")

    def handle(self, *args: Any, file: Path, source: str, json: bool, **options: Any) -> None:
        try:
            api = reading.read(parsing.parse(file.read_bytes()), source)
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        except parsing.NotReadable as error:
            raise CommandError(f"{file}{f':{error.line}' if error.line else ''}: {error.message}") from error
        self.stdout.write(as_json(api) if json else as_text(api))


def as_json(api: Api) -> str:
    found = {
        "title": api.title,
        "version": api.version,
        "operations": [_operation(operation) for operation in api.operations],
        "warnings": api.warnings,
    }
    return json.dumps(found, ensure_ascii=False)


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "method": operation.method,
        "path": operation.path,
        "name": operation.name,
        "server": operation.server,
        "is_consequential": operation.is_consequential,
        "parameters": operation.schema,
        "problem": operation.why_not,
    }


def as_text(api: Api) -> str:
    lines = [f"{api.title or 'Untitled'} {api.version}".strip()]
    for operation in api.operations:
        asks = "asks each time" if operation.is_consequential else "may be allowed for good"
        lines.append(f"{operation.method:<7} {operation.path}  {operation.name}  ({operation.why_not or asks})")
    return "\n".join([*lines, *api.warnings])
