"""Print a one-time link that signs an administrator in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from gptbuilder.accounts import sign_in_links
from gptbuilder.accounts.models import User

FIRST_EMAIL = "admin@localhost"


class Command(BaseCommand):
    help = (
        "Print a link that signs in the first administrator, who is made when there is none. "
        "Prints nothing once an administrator has signed in. With --user, a link for that person, at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base", default=settings.BASE_URL, help="address of the site, such as http://127.0.0.1:8000"
        )
        parser.add_argument("--file", type=Path, help="write it there instead, for nobody else to read")
        parser.add_argument("--user", metavar="EMAIL", help="a way back in for this person")

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._person(options["user"]) if options["user"] else self._first_administrator()
        if user is None:
            return
        path = reverse("accounts:sign_in", args=[sign_in_links.make(user, timezone.now())])
        link = options["base"].rstrip("/") + path
        if options["file"]:
            options["file"].touch(mode=0o600)
            options["file"].write_text(link)
        else:
            self.stdout.write(link)

    def _person(self, email: str) -> User:
        try:
            return User.objects.get(email=email.lower(), is_active=True)
        except User.DoesNotExist:
            raise CommandError(f"Nobody active has the address {email}.") from None

    def _first_administrator(self) -> User | None:
        administrators = User.objects.filter(is_superuser=True)
        if administrators.filter(last_login__isnull=False).exists():
            return None
        return administrators.order_by("date_joined").first() or User.objects.create_superuser(FIRST_EMAIL)
