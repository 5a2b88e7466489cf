"""What happens to an account's safety, told to its person by e-mail: always, with where it came from."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts import devices
from gptbuilder.accounts.models import User
from gptbuilder.accounts.notifications import Kind, notify
from gptbuilder.web import addresses, choices

COOKIE = "device"
SALT = "known device"
PEOPLE_MOST = 20

WHERE = _("When: %(when)s. From: %(device)s, %(address)s.")
NOT_YOU = _("If this was not you, change your password now and end all other sessions.")
TO_SETTINGS = _("Open the settings")


def _kind(name: str, subject: str | Promise, text: str | Promise) -> Kind:
    return Kind(name, subject, subject, (text, WHERE, NOT_YOU), always=True, link_label=TO_SETTINGS)


KINDS = (
    _kind("new_sign_in", _("New sign-in to your account"), _("Somebody signed in from a device we did not know yet.")),
    _kind("password_changed", _("Your password was changed"), _("The password of your account is a new one.")),
    _kind("email_changed", _("Your e-mail address was changed"), _("Your account has another e-mail address now.")),
    _kind("two_step_on", _("Two-step sign-in is on"), _("Signing in now asks for a code of your app.")),
    _kind("two_step_off", _("Two-step sign-in is off"), _("Signing in no longer asks for a code of your app.")),
    _kind("recovery_codes_made", _("New recovery codes"), _("New recovery codes were made; the old ones are void.")),
    _kind("passkey_added", _("A passkey was added"), _("Your account can be signed in to with another passkey.")),
    _kind("passkey_removed", _("A passkey was removed"), _("One of your passkeys no longer signs in.")),
    _kind("connection_added", _("A sign-in was connected"), _("Another service can sign in to your account now.")),
    _kind("connection_removed", _("A sign-in was disconnected"), _("One service no longer signs in to your account.")),
    Kind(
        "account_closed",
        _("Your account will be deleted"),
        _("Your account will be deleted"),
        (
            _("You closed your account. Nobody can sign in to it, and the links you shared lead nowhere."),
            _("On %(due)s everything in it is deleted. Until then you can come back."),
            WHERE,
        ),
        always=True,
        link="accounts:reopen",
        link_label=_("Keep my account"),
        signed_by="gptbuilder.accounts.closing.reopen_token",
    ),
    Kind(
        "confirm_closing",
        _("Do you want to delete your account?"),
        _("Do you want to delete your account?"),
        (
            _("Somebody who is signed in as you asked to delete your account. Open this page to confirm it."),
            _("It works for an hour, in the browser you are signed in with. If it was not you, do nothing."),
        ),
        always=True,
        link="accounts:confirm_delete",
        link_label=_("Delete my account"),
        signed_by="gptbuilder.accounts.closing.confirm_token",
    ),
)

# allauth's words for the same things.
OF_ALLAUTH = {
    "account/email/password_changed": "password_changed",
    "account/email/password_set": "password_changed",
    "account/email/password_reset": "password_changed",
    "account/email/email_changed": "email_changed",
    "mfa/email/totp_activated": "two_step_on",
    "mfa/email/totp_deactivated": "two_step_off",
    "mfa/email/recovery_codes_generated": "recovery_codes_made",
    "mfa/email/webauthn_added": "passkey_added",
    "mfa/email/webauthn_removed": "passkey_removed",
    "socialaccount/email/account_connected": "connection_added",
    "socialaccount/email/account_disconnected": "connection_removed",
}


def tell(request: HttpRequest, person: User, kind: str, address: str = "", **data: str) -> None:
    """Tell the person that this happened, with when and from where, in their language."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        where = {
            "when": f"{formats.date_format(timezone.localtime(), 'DATETIME_FORMAT')} (UTC)",
            "device": devices.describe(request.headers.get("User-Agent", "")),
            "address": addresses.client_address(request) or "?",
        }
    notify(person, kind, {**where, **data}, address)


def signed_in(request: HttpRequest, response: HttpResponse, person: User, is_new: bool = False) -> None:
    """Remember that this browser knows the person; tell them when it did not. A new account is told nothing.

    The cookie is signed and holds ids only: nobody can add theirs to another's browser, and reading it shows no name.
    """
    known = _known(request)
    if person.pk not in known and not is_new:
        tell(request, person, "new_sign_in")
    known = [person.pk, *(pk for pk in known if pk != person.pk)][:PEOPLE_MOST]
    choices.remember(response, COOKIE, signing.dumps(known, salt=SALT, compress=True))


def _known(request: HttpRequest) -> list[str]:
    try:
        known: list[str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except (signing.BadSignature, ValueError):
        return []
    return known
