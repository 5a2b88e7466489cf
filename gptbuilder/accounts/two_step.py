"""Two-step sign-in and passkeys: what we want differently from allauth."""

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext

from gptbuilder.accounts.models import User
from gptbuilder.lib import sealing

PLACE = "two-step"
# A code of an app is good for its half minute and the ones beside it; it must not be good twice.
REMEMBERED_SECONDS = 150


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals the secrets of apps and recovery codes."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, PLACE, keys())

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.open_sealed(encrypted_text, PLACE, keys())

    def get_totp_issuer(self) -> str:
        return str(settings.SITE_NAME)

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        return gettext("Passkey")

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        return {"id": user.pk.encode(), "display_name": str(user), "name": user.email or str(user)}


class _UsedOnce:
    """allauth remembers a code for half a minute; with its neighbours accepted it would be good again after that."""

    user: User

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        plain = "".join(filter(str.isalnum, code)).upper()
        digest = hashlib.sha256(f"{self.user.pk}:{plain}".encode()).hexdigest()
        if not cache.add(f"two-step-code:{digest}", 1, REMEMBERED_SECONDS):
            raise MFAAdapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_UsedOnce, AllauthAuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_UsedOnce, AllauthReauthenticateForm):  # type: ignore[misc]
    pass


def keys() -> list[str]:
    """The keys that seal; without FIELD_KEYS one that SECRET_KEY gives."""
    given: list[str] = settings.FIELD_KEYS
    return given or [f"s:{hashlib.sha256(b'field keys' + settings.SECRET_KEY.encode()).hexdigest()}"]


def passkeys_work_at(request: HttpRequest) -> bool:
    """Browsers make passkeys for names only, and only over https or on the machine itself."""
    host = request.get_host().partition(":")[0]
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False
