"""What we want differently from allauth: whom we believe about addresses, and what happens around signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from gptbuilder.accounts import devices, security
from gptbuilder.accounts.models import User
from gptbuilder.web import appearance, choices


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address the rest of the product counts by."""
        return devices.address_of(request)

    def post_login(self, request: HttpRequest, user: User, **rest: Any) -> HttpResponse:
        """A browser that signs in speaks the person's language and wears their appearance from then on."""
        response: HttpResponse = super().post_login(request, user, **rest)
        if user.language:
            choices.remember(response, settings.LANGUAGE_COOKIE_NAME, user.language)
        if user.appearance:
            choices.remember(response, appearance.COOKIE, user.appearance)
        security.signed_in(request, response, user, is_new=bool(rest.get("signup")))
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """allauth's news about the account's safety go out as ours do: by a task, with both parts, in one look."""
        kind = security.OF_ALLAUTH.get(template_prefix)
        if kind:
            security.tell(self.request, user, kind, address=email or "")
