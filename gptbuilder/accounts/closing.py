"""Deleting one's account: closed at once, erased after a week, and until then a link in the mail brings it back."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.utils import formats, timezone, translation

from gptbuilder.accounts import devices, personal_data, security
from gptbuilder.accounts.models import User

log = logging.getLogger(__name__)

REOPEN_SALT = "reopen an account"
CONFIRM_SALT = "close an account"
CONFIRM_SECONDS = 3600


class ClosingRefused(Exception):
    """The account cannot be closed yet. `sentences` say why, in the person's language."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


def close(person: User, request: HttpRequest) -> User:
    """From now on nobody signs in, and what the person shared is out of reach. Raises ClosingRefused.

    Closing twice keeps the first date.
    """
    if sentences := personal_data.obstacles(person):
        raise ClosingRefused(sentences)
    due = timezone.now() + timedelta(days=settings.DELETION_DAYS)
    with transaction.atomic():
        closed = User.objects.filter(pk=person.pk, is_active=True).update(is_active=False, deletion_due_at=due)
        person.refresh_from_db()
        if closed:
            with translation.override(person.language or settings.LANGUAGE_CODE):
                words = formats.date_format(due, "DATE_FORMAT")
            security.tell(request, person, "account_closed", due=words)
            devices.end_others(person)
    log.info("closed an account", extra={"user": person.pk})
    return person


def reopen(token: str, now: datetime) -> User | None:
    """Take the closing back: the person, or None when it is too late or the link is not for this closing."""
    person = read_reopen_token(token, now)
    if person is None:
        return None
    mine = User.objects.filter(pk=person.pk, is_active=False, deletion_due_at=person.deletion_due_at)
    return person if mine.update(is_active=True, deletion_due_at=None) else None


def reopen_token(person: User) -> str:
    """Names the closing as well as the person: after one comes back, the old link is worth nothing."""
    due = person.deletion_due_at
    return signing.dumps([person.pk, due.isoformat() if due else ""], salt=REOPEN_SALT, compress=True)


def read_reopen_token(token: str, now: datetime) -> User | None:
    """Whose closed account this link reopens."""
    try:
        pk, due = signing.loads(token, salt=REOPEN_SALT)
    except (signing.BadSignature, ValueError):
        return None
    person = User.objects.filter(pk=pk, is_active=False, deletion_due_at__gt=now).first()
    return person if person and person.deletion_due_at and person.deletion_due_at.isoformat() == due else None


def confirm_token(person: User) -> str:
    """For a person who has nothing to prove themselves with but their mailbox. Good for an hour and one sign-in."""
    return signing.dumps([person.pk, _last_login(person)], salt=CONFIRM_SALT, compress=True)


def confirms(token: str, person: User) -> bool:
    """Whether this token lets this person, signed in, close their account."""
    try:
        given = signing.loads(token, salt=CONFIRM_SALT, max_age=CONFIRM_SECONDS)
    except (signing.BadSignature, ValueError):
        return False
    return bool(given == [person.pk, _last_login(person)])


def _last_login(person: User) -> str:
    return person.last_login.isoformat() if person.last_login else ""


def purge(now: datetime) -> int:
    """Erase the accounts whose week is over; gives their number. One that fails does not keep the others."""
    due = list(User.objects.filter(is_active=False, deletion_due_at__lte=now).values_list("pk", flat=True))
    erased = 0
    for pk in due:
        try:
            erased += erase(pk, now)
        except Exception:
            log.exception("an account could not be erased", extra={"user": pk})
    return erased


@transaction.atomic
def erase(pk: str, now: datetime) -> bool:
    """Delete everything that is this person's. Whether it was still due: they may have come back a moment ago."""
    person = User.objects.select_for_update().filter(pk=pk, is_active=False, deletion_due_at__lte=now).first()
    if person is None:
        return False
    for holding in personal_data.holdings():
        holding.delete(person)
    person.delete()
    return True
