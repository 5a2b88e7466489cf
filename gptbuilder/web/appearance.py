"""Light, dark, or as the system has it: known before the first byte of the page, so nothing flashes."""

from __future__ import annotations

from django.http import HttpRequest

COOKIE = "appearance"
CHOICES = ("light", "dark")


def of(request: HttpRequest) -> str:
    """`light`, `dark` or nothing (the system decides): this browser's choice, else the person's."""
    if COOKIE in request.COOKIES:
        return of_browser(request)
    return _known(getattr(getattr(request, "user", None), "appearance", ""))


def of_browser(request: HttpRequest) -> str:
    """The same without asking who the person is, so without the database."""
    return _known(request.COOKIES.get(COOKIE, ""))


def _known(chosen: str) -> str:
    return chosen if chosen in CHOICES else ""
