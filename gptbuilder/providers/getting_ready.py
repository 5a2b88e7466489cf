"""The administrator's list of first steps: what is done, what is not, and why it matters."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from gptbuilder.accounts.models import User
from gptbuilder.providers import entries, pages
from gptbuilder.providers.models import Checklist, Provider

log = logging.getLogger(__name__)

# These deliver to nobody.
SILENT_BACKENDS = ("console", "dummy", "locmem", "filebased")


class MailFailed(Exception):
    """The message is a translated sentence with what the mail server said."""


@dataclass(frozen=True)
class Step:
    """One thing to do. `url` and `action` lead to where it is done; without them it is done outside of the site."""

    key: str
    title: str
    why: str
    is_done: bool
    state: str
    url: str = ""
    action: str = ""
    variables: tuple[str, ...] = ()
    can_try: bool = False


def steps(person: User, checklist: Checklist) -> list[Step]:
    return [_endpoint(), _mail(checklist), _domain(), _password(person)]


def checklist() -> Checklist:
    """The installation's row; made when first changed."""
    return Checklist.objects.filter(pk=1).first() or Checklist()


def dismiss(*, is_dismissed: bool) -> None:
    Checklist.objects.update_or_create(pk=1, defaults={"is_dismissed": is_dismissed})


def send_test_mail(person: User) -> None:
    """Send this person a mail. Raises MailFailed; takes at most EMAIL_TIMEOUT per answer of the mail server."""
    if not mail_is_sent_out():
        raise MailFailed(_("Mail is only written to the log. Set EMAIL_BACKEND first."))
    with override(person.language or None):
        subject = _("Mail from %(site)s arrives") % {"site": settings.SITE_NAME}
        text = _("This is the test you asked for at %(address)s. Links to reset a password will arrive, too.")
    try:
        send_mail(subject, text % {"address": settings.BASE_URL}, None, [person.email or ""])
    except (OSError, ValueError) as error:
        # smtplib's own errors are OSErrors. They may quote addresses, never the password.
        log.warning("the test mail failed", extra={"detail": type(error).__name__})
        raise MailFailed(_mail_problem(error)) from error
    Checklist.objects.update_or_create(pk=1, defaults={"mail_sent_at": timezone.now()})


def mail_is_sent_out() -> bool:
    return settings.EMAIL_BACKEND.split(".")[-2] not in SILENT_BACKENDS


def has_public_address() -> bool:
    """Whether BASE_URL is an address others can use safely: https, and not this machine."""
    parts = urlsplit(settings.BASE_URL)
    host = parts.hostname or ""
    try:
        is_local = ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost" or host.endswith((".localhost", ".local"))
    return parts.scheme == "https" and bool(host) and not is_local


def _endpoint() -> Step:
    first = entries.offers()[0]
    address = reverse("providers:models")
    title = _("Connect a language model")
    why = _("The model on this machine only shows how everything works. For real work connect an endpoint.")
    if not first.provider_id:
        if first.entry.is_demonstration:
            return Step(
                "endpoint", title, why, False, _("The small demonstration model answers."), address, _("Connect")
            )
        sentence = _("%(model)s answers, as the server’s environment says.") % {"model": first.label}
        return Step("endpoint", title, why, True, sentence, address, _("Models"))
    provider = Provider.objects.get(pk=first.provider_id)
    names = {"model": first.label, "name": provider.name}
    answers = pages.answers(provider.checks.order_by("-pk").first())
    if answers:
        return Step("endpoint", title, why, True, _("%(model)s at %(name)s answers.") % names, address, _("Models"))
    where = reverse("providers:provider", args=[provider.pk])
    state = (
        _("%(name)s is connected, but its last test got no answer.")
        if answers is False
        else _("%(name)s is connected. Test it once.")
    )
    return Step("endpoint", title, why, False, state % names, where, _("Test"))


def _mail(done: Checklist) -> Step:
    title = _("Let it send e-mail")
    why = _("Without it nobody can reset a forgotten password, and addresses cannot be verified.")
    variables = ("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS")
    if not mail_is_sent_out():
        return Step("mail", title, why, False, _("Mail is only written to the log."), variables=variables)
    untried, tried = (
        _("Mail goes out by %(server)s. Send yourself one to be sure."),
        _("Mail goes out by %(server)s, and a test was accepted."),
    )
    state = (tried if done.mail_sent_at else untried) % {"server": settings.EMAIL_HOST}
    return Step("mail", title, why, True, state, can_try=True)


def _domain() -> Step:
    title = _("Give it an address")
    why = _(
        "Links you share and links in mails begin with it. Only with https are passwords and chats safe on the way."
    )
    ready = has_public_address()
    where = {"address": settings.BASE_URL}
    state = _("People reach it at %(address)s.") if ready else _("It calls itself %(address)s.")
    return Step("domain", title, why, ready, state % where, variables=() if ready else ("BASE_URL", "PRODUCTION"))


def _password(person: User) -> Step:
    title = _("Have a password of your own")
    why = _("A one-time link works once. Without address and password you cannot come back.")
    ready = person.has_usable_password() and bool(person.email)
    state = _("You sign in as %(email)s.") % {"email": person.email} if ready else _("You have none yet.")
    return Step("password", title, why, ready, state, reverse("accounts:settings"), _("Settings"))


def _mail_problem(error: Exception) -> str:
    known: dict[str, Any] = {
        "SMTPAuthenticationError": _("The mail server refuses the name or the password."),
        "SMTPRecipientsRefused": _("The mail server does not accept your address."),
        "SMTPSenderRefused": _("The mail server does not let this server send as %(sender)s.")
        % {"sender": settings.DEFAULT_FROM_EMAIL},
        "SMTPNotSupportedError": _("The mail server does not know what is asked of it. Check EMAIL_USE_TLS."),
        "ConnectionRefusedError": _("Nothing listens at %(server)s, port %(port)d.")
        % {"server": settings.EMAIL_HOST, "port": settings.EMAIL_PORT},
        "gaierror": _("There is no mail server called %(server)s.") % {"server": settings.EMAIL_HOST},
        "TimeoutError": _("The mail server did not answer in time."),
    }
    return str(known.get(type(error).__name__) or _("The mail server did not take it. The server’s log says why."))
