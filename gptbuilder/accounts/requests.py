"""The request as views get it: with what the middleware adds."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from gptbuilder.accounts.models import User


class Request(HttpRequest):
    """`person` is who is signed in, or the guest of this browser session, or None."""

    person: User | None
    htmx: HtmxDetails


class MemberRequest(Request):
    """The request of somebody who is signed in."""

    person: User
    user: User
