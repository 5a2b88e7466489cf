"""What the settings page shows of one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.account.forms import ChangePasswordForm, SetPasswordForm
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from gptbuilder.accounts import devices, identity, notifications, two_step
from gptbuilder.accounts.forms import EmailForm, PreferencesForm, ProfileForm
from gptbuilder.accounts.models import DataExport, User


@dataclass(frozen=True)
class Connection:
    """An identity provider, and with which of its accounts the person signs in: none when `pk` is None."""

    id: str
    name: str
    pk: int | None = None
    account: str = ""


@dataclass(frozen=True)
class Switch:
    kind: notifications.Kind
    is_on: bool


def context(request: HttpRequest, person: User) -> dict[str, Any]:
    return {
        **_forms(person),
        **_two_step(request, person),
        "addresses_are_verified": addresses_are_verified(),
        "devices": devices.sessions(person, request.session.session_key),
        "connections": connections(person),
        "switches": [Switch(kind, notifications.wants(person, kind)) for kind in notifications.optional_kinds()],
        "export": latest_export(person),
        "deletion_days": settings.DELETION_DAYS,
    }


def _forms(person: User) -> dict[str, Any]:
    password_form = ChangePasswordForm if person.has_usable_password() else SetPasswordForm
    return {
        "profile_form": ProfileForm(instance=person),
        "preferences_form": PreferencesForm(instance=person, initial={"language": person.language or get_language()}),
        "email_form": EmailForm(person, initial={"email": person.email}),
        "password_form": password_form(person),
    }


def _two_step(request: HttpRequest, person: User) -> dict[str, Any]:
    keys = list(Authenticator.objects.filter(user=person).order_by("pk"))
    codes = next((key for key in keys if key.type == Authenticator.Type.RECOVERY_CODES), None)
    return {
        "app": next((key for key in keys if key.type == Authenticator.Type.TOTP), None),
        "recovery_codes": codes,
        "recovery_codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "passkeys": [key for key in keys if key.type == Authenticator.Type.WEBAUTHN],
        "passkeys_work": two_step.passkeys_work_at(request),
    }


def connections(person: User) -> list[Connection]:
    """Each provider of this installation, and those the person is still connected to."""
    names = {provider["id"]: provider["name"] for provider in identity.providers()}
    accounts = {account.provider: account for account in SocialAccount.objects.filter(user=person)}
    return [
        Connection(
            provider,
            names.get(provider, provider),
            accounts[provider].pk if provider in accounts else None,
            _account_name(accounts[provider]) if provider in accounts else "",
        )
        for provider in {**names, **dict.fromkeys(accounts)}
    ]


def _account_name(account: SocialAccount) -> str:
    facts: dict[str, Any] = account.extra_data.get("userinfo") or account.extra_data.get("id_token") or {}
    return str(facts.get("email") or facts.get("preferred_username") or facts.get("name") or account.uid)


def latest_export(person: User) -> DataExport | None:
    return DataExport.objects.of(person).order_by("created_at").last()


def addresses_are_verified() -> bool:
    return bool(settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory")
