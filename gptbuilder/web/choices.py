"""Choices a browser keeps for a year: the language, the appearance."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

YEAR_SECONDS = 60 * 60 * 24 * 365


def remember(response: HttpResponse, cookie: str, value: str) -> None:
    response.set_cookie(
        cookie, value, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )
