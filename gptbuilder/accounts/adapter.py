"""What we want differently from allauth: whom we believe about addresses, and what happens around signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from gptbuilder.accounts.models import User
from gptbuilder.web import addresses, appearance, choices


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address the rest of the product counts by."""
        return addresses.client_address(request) or "unknown"

    def post_login(self, request: HttpRequest, user: User, **rest: Any) -> HttpResponse:
        """A browser that signs in speaks the person's language and wears their appearance from then on."""
        response: HttpResponse = super().post_login(request, user, **rest)
        if user.language:
            choices.remember(response, settings.LANGUAGE_COOKIE_NAME, user.language)
        if user.appearance:
            choices.remember(response, appearance.COOKIE, user.appearance)
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")
