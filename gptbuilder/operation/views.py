"""The operator's page: what is being answered, how the last day went, and the state of every service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import sentences
from gptbuilder.operation import charts, figures, parts
from gptbuilder.web import presence


@dataclass(frozen=True)
class Reason:
    """Why answers failed: how often in the last day, when last, and the sentence people were shown."""

    code: str
    answers: int
    last_at: datetime
    sentence: str | Promise


@never_cache
@require_safe
def operation(request: Request) -> HttpResponse:
    """The page; for htmx the part of it that changes. For the staff: nobody else learns that it exists."""
    if not (request.user.is_authenticated and request.user.is_staff):
        raise Http404
    template = "administration/_operation.html" if request.htmx else "administration/operation.html"
    return render(request, template, _context(timezone.now()))


def _context(now: datetime) -> dict[str, object]:
    day = figures.day(now)
    states = parts.states(now)
    return {
        "here": "operation",
        "active": figures.active(),
        "queues": _queues(),
        "day": day,
        "failures": [
            Reason(found.code, found.count, found.last_at, sentences.BY_CODE.get(found.code, ""))
            for found in day.failures
        ],
        "answers_chart": charts.answers(day.hours),
        "first_token_chart": charts.first_token(day.hours),
        "parts": states,
        "troubles": [part for part in states if part.state != "good"],
        "versions": parts.versions(),
        "looked_at": now,
    }


def _queues() -> int | None:
    """Tasks that wait in all queues; None while Redis does not answer."""
    try:
        return sum(presence.queued(figures.QUEUES).values())
    except (RedisError, OSError):
        return None
