"""Signing in with the company's identity provider: who gets an account, and which account is linked."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from gptbuilder.accounts.models import SignInLink, User


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """Whose account an address belongs to, where the provider is trusted with that and says it is verified.

        Some providers say it as text; only a yes counts.
        """
        for address in sociallogin.email_addresses:
            address.verified = str(address.verified).lower() == "true"
            address.email = address.email.lower()
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        return found if found and found[0].kind == User.Kind.MEMBER and found[0].is_active else None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Whoever made the account with an address that was never theirs must not keep a key to it.

        allauth takes the password and the sessions; passkeys, codes and links are taken here.
        """
        address = sociallogin._did_authenticate_by_email
        if not address or EmailAddress.objects.filter(user=sociallogin.user, email=address, verified=True).exists():
            return
        Authenticator.objects.filter(user=sociallogin.user).delete()
        SignInLink.objects.filter(user=sociallogin.user).delete()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Name and e-mail; the account starts in the language of the page."""
        user: User = sociallogin.user
        names = data.get("name") or " ".join(filter(None, (data.get("first_name"), data.get("last_name"))))
        user.name = " ".join(str(names or "").split())[:80]
        user.email = (data.get("email") or "").lower() or None
        user.language = get_language() or ""
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("accounts:settings") + "#connections"


def providers() -> list[dict[str, str]]:
    """The identity providers of this installation: id and name."""
    apps: list[dict[str, object]] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]  # type: ignore[assignment]
    return [{"id": str(app["provider_id"]), "name": str(app["name"])} for app in apps]
