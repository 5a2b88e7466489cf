"""What a person is told by e-mail. Kinds are named in settings.NOTIFICATION_KINDS; each layer has its own.

`notify` writes a row; a task sends it in the person's language. A kind that is not about security can be turned off,
in the settings or by the link in the mail.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.accounts.models import Notification, NotificationChoice, User

log = logging.getLogger(__name__)

SALT = "unsubscribe"
CLAIM = timedelta(minutes=5)
# After a day a message would only confuse.
TRIED_FOR = timedelta(days=1)
KEPT = timedelta(days=30)
Words = str | Promise


@dataclass(frozen=True)
class Kind:
    """One kind of notification. `%(name)s` in subject and text stands for an entry of `data`.

    `always` is for what concerns the safety of the account. `link` is the name of a page, `link_label` what the
    button says; `signed_by` names what makes an address of that page that only this mail holds.
    """

    name: str
    label: Words
    subject: Words
    text: tuple[Words, ...]
    always: bool = False
    link: str = "accounts:settings"
    link_label: Words = ""
    signed_by: str = ""


def kinds() -> dict[str, Kind]:
    """Every kind by name."""
    groups: Iterable[tuple[Kind, ...]] = (import_string(path) for path in settings.NOTIFICATION_KINDS)
    return {kind.name: kind for group in groups for kind in group}


def optional_kinds() -> list[Kind]:
    return [kind for kind in kinds().values() if not kind.always]


def choose(person: User, kind: str, by_email: bool) -> None:
    """Keep what the person said. Raises KeyError for a kind that cannot be turned off."""
    if kinds()[kind].always:
        raise KeyError(kind)
    NotificationChoice.objects.update_or_create(user=person, kind=kind, defaults={"by_email": by_email})


def wants(person: User, kind: Kind) -> bool:
    """Whether this kind is sent to the person."""
    return kind.always or not person.notification_choices.filter(kind=kind.name, by_email=False).exists()


def notify(person: User, kind: str, data: Mapping[str, str] | None = None, address: str = "") -> None:
    """Tell the person, unless they do not want to hear of it. Sent after the commit; nothing is sent twice at once."""
    if not (address or person.email) or not wants(person, kinds()[kind]):
        return
    row = Notification.objects.create(user=person, kind=kind, data=dict(data or {}), address=address)
    transaction.on_commit(lambda: _hand_over(row.pk))


def _hand_over(pk: int) -> None:
    """Without a broker the row waits for `send_waiting`."""
    try:
        current_app.send_task("gptbuilder.accounts.tasks.send_notification", [pk])
    except (BrokerAway, OSError):
        log.warning("the broker is away; the notification waits")


def send(pk: int, now: datetime) -> bool:
    """Send one notification if nobody else does. Whether it was sent; a failure leaves it waiting."""
    claimable = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    if not Notification.objects.filter(claimable, pk=pk, sent_at=None).update(claimed_at=now):
        return False
    row = Notification.objects.select_related("user").get(pk=pk)
    kind = kinds().get(row.kind)
    if kind and (row.address or row.user.email):
        try:
            message(row, kind).send()
        except OSError:  # what smtplib raises, too
            log.warning("a notification could not be sent", exc_info=True)
            return False
    Notification.objects.filter(pk=pk).update(sent_at=now)
    return True


def send_waiting(now: datetime) -> int:
    """Send what an earlier try left behind, and forget what is old; gives the number sent."""
    Notification.objects.filter(created_at__lt=now - KEPT).delete()
    waiting = Notification.objects.filter(sent_at=None, created_at__gt=now - TRIED_FOR).order_by("pk")
    return sum(send(pk, now) for pk in list(waiting.values_list("pk", flat=True)[:200]))


def message(row: Notification, kind: Kind) -> EmailMultiAlternatives:
    """The mail, as text and as HTML, in the person's language."""
    person = row.user
    with translation.override(person.language or settings.LANGUAGE_CODE):
        context: dict[str, Any] = {
            "subject": str(kind.subject) % row.data,
            "paragraphs": [str(text) % row.data for text in kind.text],
            "link": _link(kind, person),
            "link_label": kind.link_label,
            "unsubscribe": ""
            if kind.always
            else absolute("accounts:unsubscribe", unsubscribe_token(person, kind.name)),
            "site_name": settings.SITE_NAME,
            "site": settings.BASE_URL,
            "language": translation.get_language(),
        }
        mail = EmailMultiAlternatives(
            " ".join(context["subject"].split()),
            render_to_string("accounts/mail/notification.txt", context),
            to=[row.address or str(person.email)],
        )
        mail.attach_alternative(render_to_string("accounts/mail/notification.html", context), "text/html")
    if context["unsubscribe"]:
        mail.extra_headers["List-Unsubscribe"] = f"<{context['unsubscribe']}>"
        mail.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail


def _link(kind: Kind, person: User) -> str:
    if not kind.link_label:
        return ""
    if kind.signed_by:
        make: Any = import_string(kind.signed_by)
        return absolute(kind.link, make(person))
    return absolute(kind.link)


def absolute(name: str, *arguments: str) -> str:
    """The full address of a page of ours."""
    return f"{settings.BASE_URL}{reverse(name, args=arguments)}"


def unsubscribe_token(person: User, kind: str) -> str:
    """Turns this kind off for this person, and nothing else. It does not expire: an old mail must be able to."""
    return signing.dumps([person.pk, kind], salt=SALT, compress=True)


def read_unsubscribe_token(token: str) -> tuple[User, Kind] | None:
    """Whose token it is and for what; None for one that is not ours, or whose person or kind is gone."""
    try:
        pk, name = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    person, kind = User.objects.filter(pk=pk).first(), kinds().get(name)
    return (person, kind) if person and kind and not kind.always else None
