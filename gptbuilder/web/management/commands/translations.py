"""Keep the catalogues of translations: update, compile, check."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptbuilder.web import catalogues


class Command(BaseCommand):
    help = "update: take new words in. compile: write the .mo files. check: fail when one is not complete."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("activity", choices=["update", "compile", "check"])

    def handle(self, *args: Any, activity: str, **options: Any) -> None:
        languages = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        if activity == "check":
            self._check(languages)
            return
        for language in languages:
            if activity == "update":
                catalogues.update(settings.BASE_DIR, language)
            path = catalogues.compile(settings.BASE_DIR, language)
            if options["verbosity"]:
                self.stdout.write(f"{path.relative_to(settings.BASE_DIR)}")

    def _check(self, languages: list[str]) -> None:
        found = [f"{code}: {line}" for code in languages for line in catalogues.problems(settings.BASE_DIR, code)]
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError(f"{len(found)} to do: run `manage.py translations update`, then translate.")
