"""Attack the cage of this machine, and tell how each attack ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptbuilder import sandbox
from gptbuilder.sandbox import doctor

LOOPBACK = ("localhost", "127.0.0.1", "::1")
POSTGRES_PORT, REDIS_PORT = 5432, 6379


class Command(BaseCommand):
    help = "Run every attack of the sandbox's suite on this machine, in about a minute; they harm nothing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
        parser.add_argument(
            "--backend", choices=sandbox.BACKENDS, help="attack this kind of cage, not the strongest there is"
        )

    def handle(self, *args: Any, backend: sandbox.BackendName | None, **options: Any) -> None:
        tried = (backend,) if backend else sandbox.BACKENDS
        found = sandbox.Cage(tried)
        holds = found.backend()
        found.close()
        self.stdout.write(f"Backend: {holds.name}" + (f" ({holds.reason})" if holds.reason else ""))
        verdicts = []
        for verdict in doctor.examine(tried, *local_services()):
            verdicts.append(verdict)
            self.stdout.write(told(verdict))
        stopped = sum(verdict.stopped for verdict in verdicts)
        self.stdout.write(f"{stopped} of {len(verdicts)} attacks were stopped.")
        if options["json"]:
            figures = {"attacks": len(verdicts), "stopped": stopped, "backend": holds.name}
            self.stdout.write(json.dumps({"name": "sandbox_doctor", "figures": figures}))
        if not verdicts:
            raise CommandError(f"There is no cage on this machine, so nothing could be tried: {holds.reason}")


def told(verdict: doctor.Verdict) -> str:
    word = "stopped" if verdict.stopped else "NOT STOPPED"
    ending = " ".join("; ".join([verdict.result, *verdict.harm]).split())
    return f"{word:<12} {verdict.form:<9} {verdict.attack.name:<27} {ending[:160]}"


def local_services() -> tuple[list[str], list[int]]:
    """Sockets and ports of this installation's PostgreSQL and Redis, as far as they are on this machine."""
    database = settings.DATABASES["default"]
    postgres = str(database["HOST"]), int(str(database["PORT"] or POSTGRES_PORT)), "/.s.PGSQL.{port}"
    found = [postgres, _redis()]
    sockets = [host + path.format(port=port) for host, port, path in found if host.startswith("/")]
    return sockets, [port for host, port, _ in found if host in LOOPBACK]


def _redis() -> tuple[str, int, str]:
    address = urlsplit(settings.REDIS_URL)
    if address.scheme == "unix":
        return str(Path(address.path)), 0, ""
    return address.hostname or "localhost", address.port or REDIS_PORT, ""
