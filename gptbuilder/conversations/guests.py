"""Visitors of a shared link who have no account: made with their first message, merged when they sign up,
deleted after a month."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.conversations.turns import TurnRefused, limit_sentence
from gptbuilder.gpts.models import LinkVisit
from gptbuilder.knowledge import moving
from gptbuilder.knowledge import personal_data as knowledge_of_a_person
from gptbuilder.usage import limits
from gptbuilder.web.addresses import client_address
from gptbuilder.workspaces.models import Workspace

log = logging.getLogger(__name__)

SESSION_KEY = "guest"


@sync_and_async_middleware
def GuestMiddleware(get_response: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Sets `request.person`: who is signed in, or this session's guest, or None.

    A person who has signed in takes over what they did as a guest.
    """
    if iscoroutinefunction(get_response):

        async def attached(request: Request) -> HttpResponse:
            await sync_to_async(attach)(request)
            response: Awaitable[HttpResponse] = get_response(request)
            return await response

        return attached

    def middleware(request: Request) -> HttpResponse:
        attach(request)
        response: HttpResponse = get_response(request)
        return response

    return middleware


def attach(request: Request) -> None:
    request.person = None
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return
    guest_id = request.session.get(SESSION_KEY)
    if request.user.is_authenticated:
        request.person = request.user
        if guest_id:
            merge(guest_id, request.user)
            del request.session[SESSION_KEY]
    elif guest_id:
        request.person = User.objects.filter(pk=guest_id, kind=User.Kind.GUEST, is_active=True).first()


def guest_for(request: Request) -> User:
    """The person of this request; a stranger becomes a guest of this browser session.

    Raises TurnRefused when this address has made too many guests.
    """
    if request.person:
        return request.person
    try:
        limits.check_new_guest(client_address(request), timezone.now())
    except limits.LimitReached as reached:
        raise TurnRefused("limit", limit_sentence(reached)) from reached
    guest = User.objects.create_user(None, kind=User.Kind.GUEST)
    request.session[SESSION_KEY] = guest.pk
    request.person = guest
    return guest


def merge(guest_id: str, user: User) -> None:
    """Everything the guest did now belongs to the user; the guest is gone. Safe to call twice."""
    with transaction.atomic():
        guest = User.objects.select_for_update().filter(pk=guest_id, kind=User.Kind.GUEST).first()
        if guest is None:
            return
        Thread.objects.filter(owner=guest).update(owner=user, workspace=Workspace.objects.personal(user))
        Run.objects.filter(person=guest).update(person=user)
        Attachment.objects.filter(person=guest).update(person=user, workspace=Workspace.objects.personal(user))
        ThreadFile.objects.filter(person=guest).update(person=user)
        moving.move(guest, user)
        Feedback.objects.filter(person=guest).update(person=user)
        known = LinkVisit.objects.filter(person=user).values("gpt")
        LinkVisit.objects.filter(person=guest).exclude(gpt__in=known).update(person=user)
        guest.delete()
    log.info("merged a guest", extra={"user": user.pk})


def purge(now: datetime) -> int:
    """Delete guests who were not seen for settings.GUEST_DAYS, and the files they gave; gives their number."""
    gone = User.objects.filter(kind=User.Kind.GUEST, last_seen_at__lt=now - timedelta(days=settings.GUEST_DAYS))
    number = gone.count()
    for guest in gone.filter(thread_files__isnull=False).distinct():
        with transaction.atomic():
            knowledge_of_a_person.delete(guest)
    gone.delete()
    return number
