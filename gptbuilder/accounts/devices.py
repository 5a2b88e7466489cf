"""Where a person is signed in: sessions with their device in plain words, and ending them."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from allauth.usersessions.models import UserSession
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext

from gptbuilder.accounts.models import User
from gptbuilder.web import addresses

SEEN_EVERY_SECONDS = 300.0
SESSIONS_MOST = 10_000
NO_ADDRESS = "0.0.0.0"  # noqa: S104  (stands for "not known" in a column that takes addresses only)
# The first that is found counts: browsers name their ancestors as well.
BROWSERS = (
    ("Edge", r"\bEdg(A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"(Chrome|Chromium|CriOS)/"),
    ("Safari", r"\bSafari/"),
)
SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\bLinux\b"),
)


@dataclass(frozen=True)
class Device:
    """One session as the settings page shows it. `address` is empty when it is not known."""

    pk: int
    name: str
    is_phone: bool
    address: str
    last_seen_at: datetime
    is_here: bool


def describe(user_agent: str) -> str:
    """Browser and system in plain words: "Firefox on Windows"."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("an unknown device")


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text)), "")


def address_of(request: HttpRequest) -> str:
    """The client's address, in a form the database takes."""
    try:
        return str(ip_address(addresses.client_address(request)))
    except ValueError:
        return NO_ADDRESS


def sessions(person: User, here: str | None) -> list[Device]:
    """Where the person is signed in, this browser first. Sessions that ended by themselves are forgotten."""
    alive: list[UserSession] = UserSession.objects.purge_and_list(person)
    alive.sort(key=lambda session: (session.session_key == here, session.last_seen_at), reverse=True)
    return [
        Device(
            session.pk,
            describe(session.user_agent),
            _first(SYSTEMS, session.user_agent) in ("iPhone", "iPad", "Android"),
            "" if session.ip == NO_ADDRESS else session.ip,
            session.last_seen_at,
            session.session_key == here,
        )
        for session in alive
    ]


def end(person: User, pk: int) -> bool:
    """End one session of the person; whether there was one."""
    session = UserSession.objects.filter(user=person, pk=pk).first()
    if session is None:
        return False
    session.end()
    return True


def end_others(person: User, here: str | None = None) -> int:
    """End every session of the person but this one; gives their number."""
    others = list(UserSession.objects.filter(user=person).exclude(session_key=here or ""))
    for session in others:
        session.end()
    return len(others)


# When this process last wrote that a session is alive, by its key.
_seen: OrderedDict[str, float] = OrderedDict()


@sync_and_async_middleware
def SessionMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Keeps for each session of a signed-in person when it was last used, at most every five minutes."""
    if iscoroutinefunction(get_response):

        async def seeing(request: HttpRequest) -> HttpResponse:
            if _is_due(request):
                await sync_to_async(see)(request)
            response: Awaitable[HttpResponse] = get_response(request)
            return await response

        return seeing

    def middleware(request: HttpRequest) -> HttpResponse:
        if _is_due(request):
            see(request)
        response: HttpResponse = get_response(request)
        return response

    return middleware


def _is_due(request: HttpRequest) -> bool:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return bool(key) and time.monotonic() - _seen.get(key or "", -SEEN_EVERY_SECONDS) >= SEEN_EVERY_SECONDS


def see(request: HttpRequest) -> None:
    """This session is alive. One that was begun without allauth gets its row now."""
    if not request.user.is_authenticated:
        return
    key = request.session.session_key or ""
    now = timezone.now()
    row = UserSession.objects.filter(session_key=key, user=request.user)
    if not row.update(last_seen_at=now, ip=address_of(request)):
        UserSession.objects.create_from_request(request)
    User.objects.filter(pk=request.user.pk, last_seen_at__lt=now - timedelta(minutes=5)).update(last_seen_at=now)
    _seen[key] = time.monotonic()
    _seen.move_to_end(key)
    while len(_seen) > SESSIONS_MOST:
        _seen.popitem(last=False)
